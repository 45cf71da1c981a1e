"""Name the classes of image files or of their pixels, or find objects, in any number of them.

Folders are searched through. A bad file is reported and the rest goes on; the exit
status is then 1.

Examples:
  resnext predict runs/photos cat.jpg
  resnext predict runs/photos folder/ more/*.png --top 3
  resnext predict runs/photos folder/ --json > predictions.json
  resnext predict runs/photos folder/ --csv > predictions.csv
  resnext predict runs/streets folder/ --draw drawn/ --masks masks/
  resnext predict detector.pth folder/ --min-score 0.7 --draw drawn/
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from resnext.api.checks import check_ranges
from resnext.cli.arguments import option, parse
from resnext.errors import ConfigError, DataError
from resnext.model.config import DetectorConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from PIL import Image

    from resnext.inference.files import Prediction
    from resnext.inference.predictor import Predictor
    from resnext.model.trained import TrainedNetwork
    from resnext.tasks.answer import Answer

_MAX_BATCH = 65_536  # twice as many decoded images are in memory
_BATCH = 32
_TOP, _TOP_OBJECTS = 5, 100
_MIN_SCORE = 0.5


@dataclass(frozen=True)
class Predict:
    """Name the classes of image files or of their pixels, or find objects in them."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """A run, a weight file, or a name that `resnext weights list` shows."""
    images: Annotated[
        tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="IMAGE|FOLDER ...")
    ]
    """Image files, and folders to search for image files."""
    top: Annotated[int | None, option("N", "5, or 100 objects")] = None
    """Number of classes to name for each image, or of objects at most."""
    min_score: Annotated[float | None, option("SHARE", "0.5")] = None
    """Of networks that find objects: leave out what they are less sure of, 0 to 1."""
    json: bool = False
    """Print one JSON list with an object for each image."""
    csv: bool = False
    """Print a CSV table with a line for each class of each image."""
    draw: Annotated[Path | None, option("FOLDER")] = None
    """Also write each image with its answer drawn: classes in words, masks in colours."""
    masks: Annotated[Path | None, option("FOLDER")] = None
    """Also write the class of every pixel as a PNG whose values are the numbers of the classes."""
    batch_size: Annotated[int | None, option("N", "32")] = None
    """Images that go through the network together; a detector takes one at a time."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:N or mps."""
    precision: Annotated[
        Literal["fp32", "bf16"] | None, option("fp32|bf16", "fp32, or what a file was exported for")
    ] = None
    """Of the arithmetic. What bf16 changes on the first images is measured, printed and bounded."""


def main(argv: list[str]) -> int:
    """Run the verb."""
    arguments = parse(Predict, argv, __doc__)
    _check(arguments)

    # torch is imported from here on, after the arguments were found to be right
    from resnext.cli.prediction_output import CsvOutput, JsonOutput, TableOutput
    from resnext.cli.prediction_pictures import Pictures
    from resnext.data.decode.image_names import describe_ignored
    from resnext.inference.files import find_images

    ignored = Counter[str]()
    paths = find_images(arguments.images, ignored)
    first = next(paths, None)
    if first is None:
        given = ", ".join(map(str, arguments.images))
        others = f" (left out: {describe_ignored(ignored)})" if ignored else ""
        raise DataError(
            f"no image found in {given}{others}; give image files or folders that hold some"
        )
    work = _start(arguments, chain([first], paths))
    pictures = Pictures(work.answers, work.read, arguments.draw, arguments.masks)
    kind = JsonOutput if arguments.json else CsvOutput if arguments.csv else TableOutput
    num, bad = 0, 0
    with kind(sys.stdout, work.answers, work.precision) as output:
        for row in work.rows:
            output.write(row)
            pictures.write(row)
            num += 1
            bad += row.error is not None
    if work.predictor is not None and work.predictor.parity is not None:
        print(f"resnext: bf16 against fp32 {work.predictor.parity}", file=sys.stderr)
    if ignored:
        left_out = describe_ignored(ignored)
        print(f"resnext: left out files that are no images: {left_out}", file=sys.stderr)
    if bad:
        print(f"resnext: {bad} of {num} files could not be read", file=sys.stderr)
    return 1 if bad else 0


@dataclass(frozen=True)
class _Work:
    """What a network says of the files, as it comes, and what is needed to show it."""

    rows: Iterator[Prediction]
    answers: type[Answer]
    read: Callable[[Path], Image.Image]
    precision: str
    predictor: Predictor | None = None


def _start(arguments: Predict, paths: Iterator[Path]) -> _Work:
    """Open the network and begin with the files."""
    from resnext.api.predictor import open_predictor
    from resnext.inference.files import predict_images
    from resnext.inference.load import load

    network: Path | TrainedNetwork = arguments.run
    if arguments.precision != "bf16":  # that is compared with the same file in fp32
        network = load(arguments.run, precision=arguments.precision)
        if isinstance(network.config, DetectorConfig):
            return _find(arguments, network, paths)
    predictor = open_predictor(network, arguments.device, arguments.precision)
    if arguments.min_score is not None:
        raise ConfigError("--min-score: this network does not find objects; leave it out")
    top = _TOP if arguments.top is None else arguments.top
    batch_size = _BATCH if arguments.batch_size is None else arguments.batch_size
    rows = predict_images(predictor, paths, top=top, batch_size=batch_size)
    reader = predictor.preprocessor.read
    return _Work(rows, predictor.answers, reader, predictor.precision, predictor)


def _find(arguments: Predict, network: TrainedNetwork, paths: Iterator[Path]) -> _Work:
    """Find objects, image by image."""
    from resnext.inference.finder import Finder
    from resnext.runs.runtime import resolve_device

    if arguments.batch_size is not None:
        raise ConfigError("--batch-size: detectors take one image at a time; leave it out")
    finder = Finder(network, resolve_device(arguments.device))
    rows = finder.find_in_files(
        paths,
        top=_TOP_OBJECTS if arguments.top is None else arguments.top,
        min_score=_MIN_SCORE if arguments.min_score is None else arguments.min_score,
    )
    return _Work(rows, finder.answers, finder.read, "fp32")


def _check(arguments: Predict) -> None:
    if not arguments.images:
        raise ConfigError("predict needs images: name files, or folders that hold some")
    if arguments.json and arguments.csv:
        raise ConfigError("--json and --csv are two forms of the same output; give one of them")
    check_ranges(
        arguments, {"batch_size": (1, _MAX_BATCH), "top": (1, None), "min_score": (0.0, 1.0)}
    )
