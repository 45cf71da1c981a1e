"""The architecture as the paper's Table 1 draws it, one column a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.table import Table

from resnext.complexity.cost import Cost
from resnext.complexity.rules import Shape
from resnext.model.config import BaselineConfig, ModelConfig, ResNeXtConfig

CONVENTION = (
    "FLOPs as the paper counts them: multiply-adds of convolutions and linear layers. "
    "Activations: numbers that those layers put out. Memory: float32 maps of one image that "
    "inference holds at once."
)


@dataclass(frozen=True)
class Column:
    """One network of the table."""

    name: str
    config: ModelConfig
    cost: Cost


def architecture_table(columns: Sequence[Column]) -> Table:
    """Draw the networks side by side: stages, templates of their blocks, totals."""
    table = Table(box=box.SIMPLE_HEAD, show_lines=False, padding=(0, 1))
    table.add_column("stage")
    table.add_column("output")
    for column in columns:
        table.add_column(column.name)
    rows = _stage_rows(columns)
    for number, (stage, output, cells) in enumerate(rows):
        table.add_row(stage, output, *cells, end_section=number == len(rows) - 1)
    for title, cells in _totals(columns):
        table.add_row(title, "", *cells)
    return table


def stage_table(column: Column) -> Table:
    """Draw how the cost of one network is spread over its stages."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    table.add_column("stage")
    table.add_column("output", justify="right")
    for title in ("parameters", "FLOPs", "activations"):
        table.add_column(title, justify="right")
    cost = column.cost
    for stage in cost.stages:
        shares = (
            (stage.parameters, cost.parameters),
            (stage.macs, cost.macs),
            (stage.activations, cost.activations),
        )
        cells = (f"{short(part)} {part / whole:5.1%}" for part, whole in shares)
        table.add_row(stage.name, shape_text(stage.output), *cells)
    return table


def layer_table(column: Column) -> Table:
    """Draw every layer of one network."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    table.add_column("layer")
    table.add_column("output", justify="right")
    for title in ("parameters", "FLOPs", "activations"):
        table.add_column(title, justify="right")
    for layer in column.cost.layers:
        name = layer.name if layer.count == 1 else f"{layer.name} ({layer.count} paths)"
        figures = (layer.parameters, layer.macs, layer.activations)
        table.add_row(name, shape_text(layer.output), *(f"{figure:,}" for figure in figures))
    return table


def short(value: float) -> str:
    """Write a large number with three significant digits and K, M or G."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("K", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.0f}"


def shape_text(shape: Shape) -> str:
    """Write a shape as channels x sides."""
    return "x".join(str(size) for size in (shape.channels, *shape.sides))


def _stage_rows(columns: Sequence[Column]) -> list[tuple[str, str, list[str]]]:
    """Return title, map size and one cell a network for the stem and every stage."""
    configs = [c.config for c in columns if isinstance(c.config, ResNeXtConfig)]
    num_stages = max((len(config.blocks_per_stage) for config in configs), default=0)
    names = ["stem", *(f"layer{number + 1}" for number in range(num_stages)), "head"]
    rows = []
    for position, name in enumerate(names if configs else []):
        cells = [_cell(column.config, position, name) for column in columns]
        title = "" if name == "head" else f"conv{position + 1}"
        rows.append((title, _output(columns, name), cells))
    return rows


def _output(columns: Sequence[Column], name: str) -> str:
    """Return the sides of a stage's map, of all networks where they differ."""
    if name == "head":
        return "1x1"
    sides: list[str] = []
    for column in columns:
        for stage in column.cost.stages:
            text = "x".join(map(str, stage.output.sides))
            if stage.name == name and text not in sides:
                sides.append(text)
    return " / ".join(sides)


def _cell(config: ModelConfig, position: int, name: str) -> str:
    if isinstance(config, BaselineConfig):
        return "(torchvision's)" if name == "stem" else ""
    if name == "stem":
        kernel, stride = (7, 2) if config.stem == "imagenet" else (3, 1)
        pool = f", {_kernel(3, config.ndim)} max pool /2" if config.stem == "imagenet" else ""
        return f"{_kernel(kernel, config.ndim)}, {config.stem_width}, /{stride}{pool}"
    if name == "head":
        return f"average pool, {config.num_classes}-d fc"
    stage = position - 1
    if stage >= len(config.blocks_per_stage):
        return ""
    return _template(config, stage)


def _template(config: ResNeXtConfig, stage: int) -> str:
    """Draw a stage's block in brackets, its layers above each other, times the blocks."""
    width = config.cardinality * config.bottleneck_width * 2**stage
    one, three = _kernel(1, config.ndim), _kernel(3, config.ndim)
    out = config.stage_widths[stage]
    if config.block == "basic":
        layers = [f"{three}, {width}", f"{three}, {out}"]
    else:
        groups = f", C={config.cardinality}" if config.cardinality > 1 else ""
        layers = [f"{one}, {width}", f"{three}, {width}{groups}", f"{one}, {out}"]
    longest = max(len(layer) for layer in layers)
    times = len(layers) // 2
    lines = [
        f"│ {layer:<{longest}} │{f' x{config.blocks_per_stage[stage]}' if n == times else ''}"
        for n, layer in enumerate(layers)
    ]
    return "\n".join(lines)


def _kernel(side: int, ndim: int) -> str:
    return "x".join([str(side)] * ndim)


def _totals(columns: Sequence[Column]) -> list[tuple[str, list[str]]]:
    costs = [column.cost for column in columns]
    return [
        ("# params.", [f"{cost.parameters:,}" for cost in costs]),
        ("FLOPs", [f"{cost.macs:,}" for cost in costs]),
        ("activations", [f"{cost.activations:,}" for cost in costs]),
        ("peak memory", [f"{cost.peak_activation_bytes / 2**20:.1f} MiB" for cost in costs]),
    ]
