"""The architecture in the layout of the paper's Table 1, one column per network, with totals.

Cells are ASCII, so that the tables work in every terminal, pipe and e-mail.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich import box
from rich.table import Table
from rich.text import Text

from resnext.complexity.cost import Cost, StageCost
from resnext.complexity.shape import Shape
from resnext.complexity.template import stage_cell, stage_output, stage_title, variant
from resnext.model.config import BaselineConfig, DetectorConfig, ModelConfig, SegmenterConfig

CONVENTION = (
    "FLOPs as the paper counts them: multiply-adds of convolutions and linear layers. "
    "Activations: output elements of those layers. Peak memory: float32 maps of one image that "
    "exist at once in inference. Train memory: maps needed by the backward pass of one image. "
    "Both exclude parameters and kernel workspaces."
)


@dataclass(frozen=True)
class Column:
    """One network of the table."""

    name: str
    config: ModelConfig
    cost: Cost


def architecture_table(columns: Sequence[Column], reference: Cost) -> Table:
    """Draw the networks side by side: stages, templates of their blocks, totals.

    Args:
        columns: The networks.
        reference: Totals to which those of the other networks are also shown relative.
    """
    table = _table("stage", "output")
    for column in columns:
        table.add_column(Text("\n".join([column.name, *variant(column.config)])))
    _add(table, "input", "", [_sizes(column.cost.input_size) for column in columns])
    for title, name in _stages(columns):
        cells = [stage_cell(column.config, column.cost, name) for column in columns]
        _add(table, title, _output(columns, name), cells)
    table.add_section()
    for title, figure, write in _TOTALS:
        cells = [_total(figure(column.cost), figure(reference), write) for column in columns]
        _add(table, title, "", cells)
    return table


def stage_table(cost: Cost) -> Table:
    """Draw the cost of one network by stage."""
    table = _table("stage", "modules")
    for title in ("output", "parameters", "FLOPs", "activations"):
        table.add_column(title, justify="right")
    for stage in cost.stages:
        shares = (
            (stage.parameters, cost.parameters),
            (stage.macs, cost.macs),
            (stage.activations, cost.activations),
        )
        cells = [f"{short(part)} {part / whole:6.1%}" for part, whole in shares]
        is_map = stage.name == "head" and stage.output.sides != ()
        title = "head" if is_map else stage_title(stage.name)
        _add(table, title, stage.name, [shape_text(stage.output), *cells])
    return table


def part_table(parts: Sequence[StageCost]) -> Table:
    """Draw the cost of the backbone, the head and the auxiliary head."""
    table = _table("part")
    for title in ("output", "parameters", "FLOPs", "activations"):
        table.add_column(title, justify="right")
    for part in parts:
        figures = (part.parameters, part.macs, part.activations)
        _add(table, part.name, shape_text(part.output), [_exact(figure) for figure in figures])
    return table


def layer_table(cost: Cost) -> Table:
    """Draw every layer of one network; identical layers of all paths of a block share a row."""
    table = _table("layer")
    for title in ("output", "parameters", "FLOPs", "activations"):
        table.add_column(title, justify="right")
    for layer in cost.layers:
        name = layer.name if layer.count == 1 else f"{layer.name} (x{layer.count})"
        figures = (layer.parameters, layer.macs, layer.activations)
        _add(table, name, shape_text(layer.output), [f"{figure:,}" for figure in figures])
    return table


def short(value: float) -> str:
    """Format a large number with three significant digits and K, M or G."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("K", 1e3)):
        if value >= 0.9995 * size:  # below, it rounds to at most 999 of the smaller unit
            return f"{value / size:#.3g}".rstrip(".") + f" {unit}"
    return f"{value:.0f}  "


def shape_text(shape: Shape) -> str:
    """Format a shape as channels x sides."""
    return _sizes((shape.channels, *shape.sides))


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    for title in columns:
        table.add_column(title)
    return table


def _add(table: Table, first: str, second: str, cells: Sequence[str]) -> None:
    """Add a row of plain text; rich would parse brackets in a string as markup."""
    table.add_row(*(Text(cell) for cell in (first, second, *cells)))


def _stages(columns: Sequence[Column]) -> list[tuple[str, str]]:
    """Return the rows, each with its stage's name in the cost."""
    if all(isinstance(column.config, BaselineConfig) for column in columns):
        return [("layers", "stem")]
    found = {stage.name for column in columns for stage in column.cost.stages}
    layers = [name for name in found if name.startswith("layer")]
    layers.sort(key=lambda name: int(name.removeprefix("layer")))
    names = ["stem", *layers, *(name for name in ("neck", "rpn") if name in found), "head"]
    titles = {name: stage_title(name) for name in names}
    if any(isinstance(column.config, SegmenterConfig | DetectorConfig) for column in columns):
        titles["head"] = "head"
    return [(titles[name], name) for name in names]


def _output(columns: Sequence[Column], name: str) -> str:
    """Return the sides of a stage's maps, one line for each distinct value."""
    sides = []
    for column in columns:
        for stage in column.cost.stages:
            if stage.name == name:
                output = stage_output(column.config, column.cost, stage)
                sides.append(_sizes(output.sides or (1,) * (len(column.cost.input_size) - 1)))
    return "\n".join(dict.fromkeys(sides))


def _sizes(sizes: Sequence[int]) -> str:
    return "x".join(str(size) for size in sizes)


def _exact(value: int) -> str:
    return f"{value:,}"


def _mib(value: int) -> str:
    return f"{value / 2**20:,.1f} MiB"


_TOTALS: tuple[tuple[str, Callable[[Cost], int], Callable[[int], str]], ...] = (
    ("# params.", lambda cost: cost.parameters, _exact),
    ("FLOPs", lambda cost: cost.macs, _exact),
    ("activations", lambda cost: cost.activations, _exact),
    ("peak memory", lambda cost: cost.peak_activation_bytes, _mib),
    ("train memory", lambda cost: cost.training_activation_bytes, _mib),
)


def _total(value: int, reference: int, write: Callable[[int], str]) -> str:
    ratio = f" ({value / reference:.2f}x)" if value != reference else ""
    return write(value) + ratio
