"""Show a network's architecture and exact cost, without running it.

Examples:
  resnext describe resnext50_32x4d
  resnext describe resnext101_64x4d --compare resnet101 resnet200
  resnext describe resnext29_8x64d --num-classes 100 --layers
  resnext describe resnext50_32x4d --input 3x320x320 --json
  resnext describe --list
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import tyro

from resnext.cli.arguments import parse
from resnext.complexity.count import count
from resnext.complexity.table import (
    CONVENTION,
    Column,
    architecture_table,
    layer_table,
    stage_table,
)
from resnext.errors import ConfigError
from resnext.model.config import BaselineConfig
from resnext.model.names import config_from, list_models


@dataclass(frozen=True)
class Describe:
    """Show a network's architecture and exact cost, without running it."""

    model: Annotated[str | None, tyro.conf.Positional] = None
    """Network, such as resnext50_32x4d, resnext29_8x64d or resnext_2-2-2-2_8x4d."""
    compare: tuple[str, ...] = ()
    """Other networks to show beside it."""
    input: str | None = None
    """Size of the input: 224, 320x320 or 3x224x224; by default what the network is made for."""
    num_classes: int | None = None
    """Classes of the head."""
    in_channels: int | None = None
    """Channels of the input."""
    form: Literal["a", "b", "c"] | None = None
    """Block form: separate paths, early concatenation, grouped convolution."""
    shortcut: Literal["A", "B", "C", "none"] | None = None
    """Type of the shortcuts."""
    preactivation: bool = False
    """BN and ReLU before the convolutions."""
    layers: bool = False
    """Also list every layer."""
    list: bool = False
    """List the names of well-known networks instead."""
    json: bool = False
    """Print the figures as JSON."""


def main(argv: list[str]) -> int:
    """Run the verb."""
    arguments = parse(Describe, argv, __doc__)
    if arguments.list:
        names = list_models()
        print(json.dumps(names) if arguments.json else "\n".join(names))
        return 0
    if arguments.model is None:
        raise ConfigError("name a network, such as resnext50_32x4d; --list shows the known ones")
    columns = [_column(name, arguments) for name in (arguments.model, *arguments.compare)]
    if arguments.json:
        first, *others = (_as_dict(column) for column in columns)
        print(json.dumps({**first, "comparisons": others}, indent=2))
    else:
        _print(columns, arguments)
    return 0


def _column(name: str, arguments: Describe) -> Column:
    changes: dict[str, Any] = {
        "num_classes": arguments.num_classes,
        "in_channels": arguments.in_channels,
        "form": arguments.form,
        "shortcut": arguments.shortcut,
        "preactivation": arguments.preactivation or None,
    }
    given = {key: value for key, value in changes.items() if value is not None}
    config = config_from(name)
    if isinstance(config, BaselineConfig):  # forms and shortcuts are a ResNeXt's
        given = {key: given[key] for key in given if key in BaselineConfig.model_fields}
    config = config.replace(**given)
    return Column(name, config, count(config, _input_size(arguments.input)))


def _input_size(text: str | None) -> int | tuple[int, ...] | None:
    if text is None:
        return None
    try:
        sizes = tuple(int(part) for part in text.lower().split("x"))
    except ValueError:
        raise ConfigError(f"--input {text!r}: write 224, 320x320 or 3x224x224") from None
    return sizes[0] if len(sizes) == 1 else sizes


def _as_dict(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "config": column.config.model_dump(mode="json"),
        **column.cost.as_dict(),
    }


def _print(columns: list[Column], arguments: Describe) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    size = "x".join(map(str, columns[0].cost.input_size))
    console.print(f"\nInput {size}", markup=False)
    console.print(architecture_table(columns))
    for column in columns:
        if len(column.cost.stages) > 1:
            console.print(f"{column.name}: cost by stage", markup=False)
            console.print(stage_table(column))
    if arguments.layers:
        console.print(layer_table(columns[0]))
    console.print(CONVENTION, markup=False)
