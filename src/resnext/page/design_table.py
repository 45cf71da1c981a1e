"""Networks side by side with their totals, as an HTML table like the paper's table 1."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from html import escape

from resnext.complexity.cost import Cost
from resnext.complexity.table import Column, short
from resnext.complexity.template import stage_cell, stage_title, variant
from resnext.page.svg import TIMES

Figure = Callable[[Cost], int]

_TOTALS: tuple[tuple[str, Figure, bool], ...] = (
    ("parameters", lambda cost: cost.parameters, False),
    ("multiply-adds", lambda cost: cost.macs, False),
    ("activations", lambda cost: cost.activations, False),
    ("memory, inference", lambda cost: cost.peak_activation_bytes, True),
    ("memory, training", lambda cost: cost.training_activation_bytes, True),
)

NOTE = (
    "Multiply-adds count convolutions and linear layers for one image (the paper's FLOPs); "
    "activations count the output values of these layers; memory counts the float32 feature maps "
    "of one image, without parameters."
)


def totals_cards(cost: Cost) -> str:
    """Return cards of parameters, multiply-adds and activations: rounded, with the exact number."""
    cards = [
        f'<div class="card"><div class="value">{escape(short(figure(cost)).strip())}</div>'
        f'<div class="exact">{figure(cost):,}</div><div class="soft">{name}</div></div>'
        for name, figure, is_memory in _TOTALS
        if not is_memory
    ]
    return f'<div class="cards">{"".join(cards)}</div>'


def comparison_table(columns: Sequence[Column]) -> str:
    """Return the architectures and totals of networks, one column each.

    Args:
        columns: The networks; totals are also given relative to the first.
    """
    heads = "".join(f'<th scope="col">{_head(column)}</th>' for column in columns)
    rows = [_row("input", "", [_sides(column.cost.input_size) for column in columns])]
    for name in _stage_names(columns):
        cells = [_cell(stage_cell(column.config, column.cost, name)) for column in columns]
        rows.append(_row(stage_title(name), _outputs(columns, name), cells))
    reference = columns[0].cost
    for title, figure, is_memory in _TOTALS:
        cells = [_total(figure(c.cost), figure(reference), is_memory) for c in columns]
        rows.append(_row(title, "", cells, kind="total"))
    return (
        '<div class="scroll" role="region" aria-label="Architectures" tabindex="0">'
        '<table class="architecture"><thead><tr><th scope="col">stage</th>'
        f'<th scope="col">output</th>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
        f'</div><p class="soft">{NOTE}</p>'
    )


def _head(column: Column) -> str:
    changes = [escape(line) for line in variant(column.config)]
    return "<br>".join([escape(column.name), *changes])


def _row(first: str, second: str, cells: Sequence[str], kind: str = "") -> str:
    texts = "".join(f"<td>{cell}</td>" for cell in (second, *cells))
    return f'<tr class="{kind}"><th scope="row">{escape(first)}</th>{texts}</tr>'


def _cell(text: str) -> str:
    """Turn the lines of a stage into HTML, with a block's lines in brackets."""
    plain, inside, times = [], [], ""
    for line in re.sub(r"(?<=\d)x(?=\d)| x(?=\d)", TIMES, escape(text)).splitlines():
        if line.startswith("[ "):
            layer, _, after = line[2:].partition(" ]")
            inside.append(layer.strip())
            times += after
        else:
            plain.append(line)
    before = "<br>".join(plain)
    if not inside:
        return before
    block = f'<span class="bracket">{"<br>".join(inside)}</span>'
    return f'{before}<div class="block">{block}<span>{times}</span></div>'


def _stage_names(columns: Sequence[Column]) -> list[str]:
    most = max((column.cost.stages for column in columns), key=len)
    return [stage.name for stage in most]


def _outputs(columns: Sequence[Column], name: str) -> str:
    """Return the sides of a stage's map, one line for each distinct size."""
    found = []
    for column in columns:
        for stage in column.cost.stages:
            if stage.name == name:
                output = column.cost.layers[0].output if name == "stem" else stage.output
                found.append(_sides(output.sides or (1, 1)))
    return "<br>".join(dict.fromkeys(found))


def _sides(sizes: Sequence[int]) -> str:
    return TIMES.join(str(size) for size in sizes)


def _total(value: int, reference: int, is_memory: bool) -> str:
    text = f"{value / 2**20:,.1f} MiB" if is_memory else f"{value:,}"
    if value == reference:
        return text
    return f'{text} <span class="soft">({value / reference:.2f}{TIMES})</span>'
