"""`resnext evaluate` of a network that finds objects."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from resnext.cli.output_file import check_place, writing
from resnext.data.boxes.read import load_boxes
from resnext.errors import ConfigError, DataError
from resnext.untrusted.text import printable

if TYPE_CHECKING:
    from resnext.cli.evaluate import Evaluate
    from resnext.data.boxes.box_set import BoxImage, BoxSet
    from resnext.inference.finder import Finder
    from resnext.tasks.detection.average_precision import BoxFigures, BoxTally
    from resnext.tasks.detection.errors import Judged

_TAKEN = {"run", "data", "split", "device", "out", "report", "json", "quiet"}
_MIN_SCORE = 0.5
"""Objects that a person would be shown; their errors are counted."""

_TITLES = {
    "ap": "AP",
    "ap50": "AP50",
    "ap75": "AP75",
    "ap_small": "AP, small",
    "ap_medium": "AP, medium",
    "ap_large": "AP, large",
    "ar100": "recall of 100 objects",
}


def evaluate_objects(arguments: Evaluate) -> int:
    """Measure a detector on boxes, and print or write the figures.

    Raises:
        ResNeXtError: A flag has no meaning here, or weights or data cannot be used.
    """
    _check(arguments)
    for flag, path in (("--out", arguments.out), ("--report", arguments.report)):
        if path is not None:
            check_place(flag, path)
    from resnext.evaluation.object_report import ObjectReport, write_object_report
    from resnext.inference.finder import Finder
    from resnext.inference.load import load
    from resnext.runs.folder import write_json
    from resnext.runs.runtime import resolve_device

    assert arguments.data is not None
    data = load_boxes(arguments.data)
    split = _split(arguments, data)
    finder = Finder(load(arguments.run), resolve_device(arguments.device))
    measured = _measure(finder, data, split, quiet=arguments.quiet)
    figures = measured.tally.result()
    values = {"data": arguments.data, "split": split, **figures.as_dict()}
    if arguments.json:
        print(json.dumps(values))
    elif not arguments.quiet:
        _print(figures, f"{printable(data.name)}, {split}")
    if arguments.out is not None:
        with writing(arguments.out):
            write_json(arguments.out, values, is_shared=True)
    if arguments.report is not None:
        title, images, judged = arguments.run.resolve().name, measured.images, measured.judged
        report = ObjectReport(title, data.name, split, figures, images, judged, _MIN_SCORE)
        write_object_report(arguments.report, report)
    return 0


@dataclass(frozen=True)
class _Measured:
    """What was found: for the figures, and judged image by image."""

    tally: BoxTally
    images: list[BoxImage]
    judged: list[Judged]


def _check(arguments: Evaluate) -> None:
    from resnext.cli.evaluate import Evaluate

    plain = Evaluate(run=arguments.run)
    given = [
        field.name
        for field in fields(Evaluate)
        if field.name not in _TAKEN and getattr(arguments, field.name) != getattr(plain, field.name)
    ]
    if given:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise ConfigError(f"{flags}: no part of the evaluation of boxes; leave it out")
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ConfigError("boxes are evaluated in one process; start it without torchrun")
    if arguments.split == "all":
        raise ConfigError("--split all: name one of train, val and test")


def _split(arguments: Evaluate, data: BoxSet) -> str:
    """Return the split that was asked for, or the only one, or `val`."""
    only = next(iter(data.splits)) if len(data.splits) == 1 else "val"
    split = arguments.split or only
    if not data.splits.get(split):
        raise DataError(f"{arguments.data}: has no split {split}; it has {', '.join(data.splits)}")
    return split


def _measure(finder: Finder, data: BoxSet, split: str, *, quiet: bool) -> _Measured:
    from resnext.tasks.detection.average_precision import BoxTally
    from resnext.tasks.detection.errors import judge

    labels = label_map(finder.network.card.classes, finder.classes, data.classes)
    images: tuple[BoxImage, ...] = data.splits[split]
    measured = _Measured(BoxTally(images, data.classes), [], [])
    for number, image in enumerate(images):
        try:
            picture = finder.read(image.path)
        except DataError as error:
            print(printable(f"bad file {image.path}: {error}"), file=sys.stderr)
            continue
        if picture.size != (image.width, image.height):
            raise DataError(
                f"{image.path}: is {picture.width}x{picture.height} and not as its annotations say "
                f"{image.width}x{image.height}, so the boxes do not fit; look at resnext data check"
            )
        try:
            found_n6 = finder.find(picture)
        except DataError as error:
            raise DataError(f"{image.path}: {error}") from None
        kept = [[*row[:5], labels[int(row[5])]] for row in found_n6 if int(row[5]) in labels]
        kept_n6 = np.array(kept, dtype=np.float64).reshape(-1, 6)
        measured.tally.add(number, kept_n6)
        measured.images.append(image)
        measured.judged.append(judge(image, kept_n6[kept_n6[:, 4] >= _MIN_SCORE]))
        if not quiet and sys.stderr.isatty():
            print(f"\r{number + 1} of {len(images)} images", end="", file=sys.stderr)
    return measured


def label_map(
    known: tuple[str, ...], outputs: tuple[str, ...], classes: tuple[str, ...]
) -> dict[int, int]:
    """Return the data's number of each class that the network can find, by the network's.

    Args:
        known: Classes of the network, empty where its file names none.
        outputs: What its outputs are called.
        classes: Classes of the data.

    Raises:
        DataError: The network lacks a class of the data.
    """
    if not known:
        if len(outputs) != len(classes):
            raise DataError(
                f"the network has {len(outputs)} classes without names and the data have "
                f"{len(classes)}; name other data, or weights that name their classes"
            )
        return {number: number for number in range(len(classes))}
    if unknown := sorted(set(classes) - set(known)):
        raise DataError(
            f"the network does not know the class {printable(unknown[0])!r} of the data"
            + (f" and {len(unknown) - 1} more" if len(unknown) > 1 else "")
        )
    numbers = {name: number for number, name in enumerate(classes)}
    return {number: numbers[name] for number, name in enumerate(known) if name in numbers}


def _print(figures: BoxFigures, title: str) -> None:
    from rich.table import Table

    from resnext.evaluation.object_report import written
    from resnext.terminal import create_console

    table = Table(title=title)
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_row("images", f"{figures.num_images:,}")
    table.add_row("objects", f"{figures.num_objects:,}")
    for key, name in _TITLES.items():
        table.add_row(name, written(figures.figures[key]))
    classes = Table()
    classes.add_column("class", overflow="fold")
    for name in ("AP", "AP50"):
        classes.add_column(name, justify="right")
    for name, value in figures.ap_by_class.items():
        at_50 = figures.ap50_by_class[name]
        classes.add_row(printable(name), written(value), written(at_50))
    console = create_console()
    console.print(table)
    console.print(classes)
