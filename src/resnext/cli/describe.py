"""Show a network's architecture and exact cost, without running it.

NAME is a network's name, a run folder, or a weight file with its extension.
--form, --shortcut, --preactivation, --output-stride, --head and --aux-head only change NAME, so
that it can be compared with the original; all other options apply to every network.

Examples:
  resnext describe resnext50_32x4d
  resnext describe resnext101_64x4d --compare resnet101 resnet200
  resnext describe resnext50_32x4d --form a --compare resnext50_32x4d
  resnext describe resnext29_8x64d --num-classes 100 --layers
  resnext describe resnext50_32x4d --input 3x320x320 --json
  resnext describe resnext50_32x4d --ndim 1 --input 1x16000
  resnext describe resnext50_32x4d --task segmentation --head deeplabv3 --input 3x360x480
  resnext describe runs/photos
  resnext describe --list
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from resnext.cli.arguments import option, parse
from resnext.cli.describe_head import parts_of, with_head
from resnext.complexity.cost import flat_row
from resnext.complexity.count import count
from resnext.errors import ConfigError
from resnext.model.choices import Head
from resnext.model.detector_config import DetectorHead
from resnext.model.names import config_from, is_name, list_models

if TYPE_CHECKING:
    from rich.console import Console

    from resnext.complexity.table import Column
    from resnext.model.config import ModelConfig


@dataclass(frozen=True)
class Describe:
    """Show a network's architecture and exact cost, without running it."""

    model: Annotated[
        tyro.conf.Positional[str],
        option("NAME"),
    ] = ""
    """Network, such as resnext50_32x4d, resnext29_8x64d, resnext_2-2-2-2_8x4d or runs/photos."""
    compare: Annotated[tuple[str, ...], option("NAME ...", "none")] = ()
    """Other networks to show next to it."""
    input: Annotated[str, option("SIZE", "the network's default")] = ""
    """Size of the input: 224, 320x320 or 3x224x224; with --ndim 1, 16000 or 1x16000."""
    num_classes: Annotated[int | None, option("N", "1000, CIFAR 10")] = None
    """Number of classes."""
    in_channels: Annotated[int | None, option("N", "3")] = None
    """Number of input channels."""
    form: Annotated[str, option("a|b|c", "c")] = ""
    """Block form: separate paths (a), early concatenation (b), grouped convolution (c)."""
    shortcut: Annotated[str, option("A|B|C|none", "B")] = ""
    """Shortcut type: zero-padded (A), projection where the shape changes (B), always projection
    (C), or none."""
    preactivation: bool = False
    """Use BN and ReLU before the convolutions."""
    output_stride: Annotated[int | None, option("N", "32, CIFAR 4")] = None
    """Stride of the last map; smaller values use dilation."""
    ndim: Annotated[int | None, option("1|2|3", "2")] = None
    """Dimensions of the input: 1 for time series and sound, 3 for volumes."""
    task: Annotated[
        Literal["classification", "segmentation", "detection"],
        option("classification|segmentation|detection"),
    ] = "classification"
    """What the network is for; segmentation and detection put their head on NAME."""
    head: Annotated[
        Head | DetectorHead | None,
        option("fcn|deeplabv3|unet|fpn|retinanet|faster_rcnn|mask_rcnn", "deeplabv3, retinanet"),
    ] = None
    """The head of --task segmentation or, the last three, of --task detection."""
    aux_head: bool = False
    """With the second head of a segmentation network, which only training uses."""
    layers: bool = False
    """Also list every layer of NAME."""
    list: bool = False
    """List the names of well-known networks instead."""
    json: bool = False
    """Print the numbers as JSON."""


def main(argv: list[str]) -> int:
    """Run the verb.

    Raises:
        ConfigError: A name, a size or a setting is not valid.
        CheckpointError: A run folder or weight file cannot be read.
    """
    arguments = parse(Describe, argv, __doc__, extra="--compare")
    if arguments.list:
        if arguments != Describe(list=True, json=arguments.json):
            raise ConfigError(
                "--list can only be combined with --json; leave out the other arguments"
            )
        names = list_models()
        print(json.dumps(names) if arguments.json else "\n".join(names))
        return 0
    if arguments.model == "":
        raise ConfigError(
            "give a network, such as resnext50_32x4d; use --list to show the known ones"
        )
    chosen = with_head(
        arguments.model,
        arguments.task,
        arguments.head,
        aux_head=arguments.aux_head,
        is_file=_is_file(arguments.model),
    )
    columns = [
        _column(chosen, arguments, _changes_of_one(arguments)),
        *(_column(name, arguments, {}) for name in arguments.compare),
    ]
    if arguments.json:
        first, *others = (_as_dict(column) for column in columns)
        print(json.dumps({**first, "comparisons": others}, indent=2))
    else:
        _print(columns, with_layers=arguments.layers)
    return 0


def _changes_of_one(arguments: Describe) -> dict[str, Any]:
    given = {
        "form": arguments.form,
        "shortcut": arguments.shortcut,
        "preactivation": arguments.preactivation,
        "output_stride": arguments.output_stride,
        "aux_head": arguments.aux_head,
    }
    return {name: value for name, value in given.items() if value}


def _column(name: str, arguments: Describe, changes: dict[str, Any]) -> Column:
    from resnext.complexity.table import Column

    config, side = _open(name)
    size = _input_size(arguments.input)
    given = {"num_classes": arguments.num_classes, "in_channels": arguments.in_channels}
    if arguments.ndim is not None:
        given["ndim"] = arguments.ndim
        if given["in_channels"] is None and isinstance(size, tuple) and len(size) > arguments.ndim:
            given["in_channels"] = size[0]
    changes = changes | {key: value for key, value in given.items() if value is not None}
    config = config_from(config, **changes)
    return Column(name, config, count(config, side if size is None else size))


def _open(name: str) -> tuple[ModelConfig, int | tuple[int, ...] | None]:
    """Return a network's config and, for a trained one, the side or sides of its input."""
    if _is_file(name):
        from resnext.weights.source import open_weights  # imports torch

        weights = open_weights(name)
        signal = weights.card.signal
        return weights.config, weights.card.image_size_px if signal is None else signal.sides
    if "." in name:
        from resnext.weights.catalogue import find_entry

        entry = find_entry(name)
        return config_from(entry.network, num_classes=entry.num_classes), entry.image_size_px
    return config_from(name), None


def _is_file(name: str) -> bool:
    path = Path(name)
    if {"/", os.sep} & set(name) or name.endswith(".safetensors"):
        return True
    return ("." in name and path.is_file()) or (path.is_dir() and not is_name(name))


def _input_size(text: str) -> int | tuple[int, ...] | None:
    if text == "":
        return None
    try:
        sizes = tuple(int(part) for part in text.lower().split("x"))
    except ValueError:
        raise ConfigError(f"--input {text!r}: give 224, 320x320 or 3x224x224") from None
    return sizes[0] if len(sizes) == 1 else sizes


def _as_dict(column: Column) -> dict[str, Any]:
    parts = parts_of(column.config, column.cost)
    return {
        "name": column.name,
        "config": column.config.model_dump(mode="json"),
        **column.cost.as_dict(),
        **({"parts": [flat_row(part) for part in parts]} if parts else {}),
    }


def _print(columns: list[Column], *, with_layers: bool) -> None:
    from resnext.complexity.table import (
        CONVENTION,
        architecture_table,
        layer_table,
        part_table,
        stage_table,
    )
    from resnext.terminal import create_console

    console = create_console()
    reference = columns[0].cost
    for beside in _groups_that_fit(columns, console):
        console.print(architecture_table(beside, reference))
    for column in columns:
        if len(column.cost.stages) > 1:
            console.print(f"{column.name}: cost by stage")
            console.print(stage_table(column.cost))
        if parts := parts_of(column.config, column.cost):
            console.print(part_table(parts))
        for note in column.cost.notes:
            console.print(note)
    if with_layers:
        console.print(layer_table(reference))
    console.print(CONVENTION)


def _groups_that_fit(columns: list[Column], console: Console) -> list[list[Column]]:
    """Split the networks into tables that fit the terminal."""
    from resnext.complexity.table import architecture_table

    unlimited = console.options.update(width=10_000)
    groups: list[list[Column]] = []
    for column in columns:
        wider = [*groups[-1], column] if groups else [column]
        table = architecture_table(wider, columns[0].cost)
        if len(wider) == 1 or console.measure(table, options=unlimited).maximum > console.width:
            groups.append([column])
        else:
            groups[-1] = wider
    return groups
