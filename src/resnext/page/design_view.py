"""What the design tab shows for the networks that were entered, as HTML."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from resnext.complexity.count import count
from resnext.complexity.table import Column
from resnext.errors import ConfigError
from resnext.model.config import ResNeXtConfig
from resnext.model.names import name_of
from resnext.page.block_drawing import draw_block
from resnext.page.config_file import download_link
from resnext.page.design_table import comparison_table, totals_cards
from resnext.page.network_drawing import draw_network
from resnext.page.settings_form import Entered, title_of
from resnext.page.svg import TIMES
from resnext.untrusted.text import printable


@dataclass(frozen=True)
class DesignView:
    """What is shown of one network, as HTML.

    Attributes:
        block: A block drawn in its form, for the place above the controls; empty if it is wrong.
        details: Its figures and its drawing, or what is wrong with it.
    """

    block: str
    details: str


def error_box(message: str) -> str:
    """Return one message that screen readers speak."""
    return f'<div class="problem" role="alert">{escape(printable(message))}</div>'


def show(entered: list[Entered]) -> tuple[list[DesignView], str]:
    """Count and draw the networks.

    Args:
        entered: The controls of each network.

    Returns:
        What stands around the controls of each network, and the table of those that are right.
    """
    views, columns = [], []
    for number, one in enumerate(entered):
        try:
            column = _column(one)
        except ConfigError as error:
            views.append(DesignView("", error_box(str(error))))
            continue
        columns.append(column)
        views.append(_view(column, one, f"network-{number}"))
    return views, _same_function(columns) + comparison_table(columns) if columns else ""


def _column(entered: Entered) -> Column:
    config = entered.network()
    return Column(name_of(config), config, count(config, entered.side_px()))


def _view(column: Column, entered: Entered, name: str) -> DesignView:
    config = column.config
    assert isinstance(config, ResNeXtConfig)
    block = (
        f'<h4>A block of the first stage{_form(entered)}</h4><div class="scroll">'
        f"{draw_block(config, f'{name}-block')}</div><p>{describe_form(config)}</p>"
    )
    details = (
        f"<h3>{escape(title_of(config))}</h3>"
        f'<p class="soft">{config.depth} layers, input of {entered.side_px()} px</p>'
        f"{totals_cards(column.cost)}<p>{download_link(config)}</p>"
        f"<h4>The network</h4>{draw_network(config, column.cost, f'{name}-whole')}"
    )
    return DesignView(block, details)


def _form(entered: Entered) -> str:
    return "" if entered.block != "bottleneck" else f", form ({entered.form})"


def describe_form(config: ResNeXtConfig) -> str:
    """Say how a network's blocks are computed; nothing of other blocks than the bottleneck."""
    paths = config.cardinality
    if config.block != "bottleneck":
        return ""
    if paths == 1:
        return "One path: the three forms are the same, the block of a ResNet."
    return {
        "a": f"{paths} paths of the same shape, each with layers of its own, are summed: "
        "aggregated transformations.",
        "b": f"{paths} paths are concatenated, and one 1{TIMES}1 convolution does the work of "
        "all their last layers and of the sum.",
        "c": f"The {paths} paths are the {paths} groups of one convolution: what (a) computes, "
        "in few large operations instead of many small ones.",
    }[config.form]


def _same_function(columns: list[Column]) -> str:
    """Say so where the networks differ in nothing but their form, as at first."""
    configs = [column.config for column in columns if isinstance(column.config, ResNeXtConfig)]
    forms = [config.form for config in configs]
    plain = {config.replace(form="c") for config in configs}
    if len(set(forms)) < 2 or len(plain) > 1 or len(configs) < len(columns):
        return ""
    return told_box(
        f"Networks A ({forms[0]}) and B ({forms[1]}) compute the same function with the same "
        "number of weights; they differ only in how the work is arranged. Start from "
        "another network above to compare two designs."
    )


def told_box(message: str) -> str:
    """Return an answer that screen readers speak when they are done with what they say."""
    return f'<div class="told" role="status">{escape(printable(message))}</div>'
