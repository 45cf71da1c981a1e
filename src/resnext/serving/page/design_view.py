"""What the design tab shows for the networks that were entered, as HTML."""

from __future__ import annotations

from html import escape

from resnext.complexity.count import count
from resnext.complexity.table import Column
from resnext.errors import ConfigError
from resnext.serving.page.block_drawing import draw_block
from resnext.serving.page.config_file import download_link
from resnext.serving.page.design_table import comparison_table, totals_cards
from resnext.serving.page.network_drawing import draw_network
from resnext.serving.page.settings_form import Entered, title_of
from resnext.untrusted.text import printable


def error_box(message: str) -> str:
    """Return one message that screen readers speak."""
    return f'<div class="problem" role="alert">{escape(printable(message))}</div>'


def show(entered: list[Entered]) -> tuple[list[str], str]:
    """Count and draw the networks.

    Args:
        entered: The controls of each network.

    Returns:
        What stands below the controls of each network, and the table of those that are right.
    """
    views, columns = [], []
    for number, one in enumerate(entered):
        try:
            column = _column(one)
        except ConfigError as error:
            views.append(error_box(str(error)))
            continue
        columns.append(column)
        views.append(_view(column, one, f"network-{number}"))
    return views, comparison_table(columns) if columns else ""


def _column(entered: Entered) -> Column:
    config = entered.network()
    return Column(title_of(config), config, count(config, entered.side_px()))


def _view(column: Column, entered: Entered, name: str) -> str:
    config = entered.network()
    details = draw_network(config, column.cost, f"{name}-whole")
    return (
        f"<h3>{escape(column.name)}</h3>"
        f'<p class="soft">{config.depth} layers, input of {entered.side_px()} px</p>'
        f"{totals_cards(column.cost)}<p>{download_link(config)}</p>"
        f'<h4>A block of the first stage{_form(entered)}</h4><div class="scroll">'
        f"{draw_block(config, f'{name}-block')}</div>"
        f"<h4>The network</h4>{details}"
    )


def _form(entered: Entered) -> str:
    return "" if entered.block == "basic" else f", form ({entered.form})"


def told_box(message: str) -> str:
    """Return an answer that screen readers speak when they are done with what they say."""
    return f'<div class="told" role="status">{escape(printable(message))}</div>'
