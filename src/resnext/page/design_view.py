"""The HTML that the design tab shows for the entered networks."""

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
    """The HTML for one network.

    Attributes:
        block: Drawing of a block in its form, shown above the controls; empty if invalid.
        details: Its costs and its drawing, or the error.
    """

    block: str
    details: str


def error_box(message: str) -> str:
    """Return an error message that screen readers announce."""
    return f'<div class="problem" role="alert">{escape(printable(message))}</div>'


def show(entered: list[Entered]) -> tuple[list[DesignView], str]:
    """Count and draw the networks.

    Args:
        entered: The controls of each network.

    Returns:
        The HTML around the controls of each network, and the table of the valid ones.
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
    """Describe how a network's blocks are computed; empty unless they are bottlenecks."""
    paths = config.cardinality
    if config.block != "bottleneck":
        return ""
    if paths == 1:
        return "One path: the three forms are identical, and the block is that of a ResNet."
    return {
        "a": f"{paths} paths of the same shape, each with its own layers, are summed: "
        "aggregated transformations.",
        "b": f"{paths} paths are concatenated, and one 1{TIMES}1 convolution replaces all their "
        "last layers and the sum.",
        "c": f"The {paths} paths are the {paths} groups of one convolution: the same "
        "function as (a), in a few large operations instead of many small ones.",
    }[config.form]


def _same_function(columns: list[Column]) -> str:
    """Explain that the networks differ only in form, as they do at first."""
    configs = [column.config for column in columns if isinstance(column.config, ResNeXtConfig)]
    forms = [config.form for config in configs]
    plain = {config.replace(form="c") for config in configs}
    if len(set(forms)) < 2 or len(plain) > 1 or len(configs) < len(columns):
        return ""
    return told_box(
        f"Networks A ({forms[0]}) and B ({forms[1]}) compute the same function with the same "
        "number of weights; they differ only in how the computation is organised. Start from "
        "another network above to compare two designs."
    )


def told_box(message: str) -> str:
    """Return a status message that screen readers announce without interrupting."""
    return f'<div class="told" role="status">{escape(printable(message))}</div>'
