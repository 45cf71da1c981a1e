"""Predict the classes of images, of their pixels or of signals, or find objects.

Folders are searched recursively. Bad files are reported and skipped; the exit status is then 1.

Examples:
  resnext predict runs/photos cat.jpg
  resnext predict runs/photos folder/ more/*.png --top 3
  resnext predict runs/photos folder/ --json > predictions.json
  resnext predict runs/photos folder/ --csv > predictions.csv
  resnext predict runs/streets folder/ --draw drawn/ --masks masks/
  resnext predict runs/gunpoint GunPoint_TEST.ts
  resnext predict runs/trec --text "Who wrote Hamlet?" "How far is the moon?"
  resnext predict runs/trec questions.txt more.tsv
  resnext predict detector.pth folder/ --min-score 0.7 --draw drawn/
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from resnext.api.checks import check_ranges
from resnext.cli.arguments import option, parse
from resnext.data.decode.image_names import EXTENSIONS
from resnext.errors import ConfigError, DataError
from resnext.model.config import DetectorConfig
from resnext.untrusted.names import shown

if TYPE_CHECKING:
    from resnext.cli.prediction_pictures import Pictures
    from resnext.inference.files import Prediction
    from resnext.inference.predictor import Predictor
    from resnext.inference.signals import SignalPredictor
    from resnext.model.trained import TrainedNetwork

_MAX_BATCH = 65_536  # twice as many decoded images are in memory
_BATCH = 32
_TOP = 5


@dataclass(frozen=True)
class Predict:
    """Predict the classes of images."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """A run, a weight file, or a name from `resnext weights list`."""
    images: Annotated[tyro.conf.Positional[tuple[Path, ...]], option("IMAGE|FOLDER ...")]
    """Image files, and folders to search for image files; for signal networks, files of time
    series, volumes, audio, videos or texts (tables, or .txt with a text in each line)."""
    text: Annotated[tuple[str, ...], option("TEXT ...")] = ()
    """Texts, for a network for text."""
    top: Annotated[int | None, option("N", "5, or 100 objects")] = None
    """Number of classes to print for each image, or maximum number of objects."""
    min_score: Annotated[float | None, option("SHARE", "0.5")] = None
    """Of detectors: leave out objects with a lower score, 0 to 1."""
    json: bool = False
    """Print a JSON list with one object per image."""
    csv: bool = False
    """Print CSV with one line per class of each image."""
    draw: Annotated[Path | None, option("FOLDER")] = None
    """Also write each image with its prediction: classes as text, masks in colours."""
    masks: Annotated[Path | None, option("FOLDER")] = None
    """Also write masks as PNG files whose values are class numbers."""
    batch_size: Annotated[int | None, option("N", "32")] = None
    """Batch size; a detector takes one image at a time."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:N or mps."""
    precision: Annotated[
        Literal["fp32", "bf16"] | None, option("fp32|bf16", "fp32, or that of the exported file")
    ] = None
    """Precision. The effect of bf16 on the first images is measured, printed and limited."""


def main(argv: list[str]) -> int:
    """Run the verb."""
    arguments = parse(Predict, argv, __doc__)
    _check(arguments)

    # torch is imported from here on, after the arguments were found to be right
    from resnext.data.decode.image_names import describe_ignored
    from resnext.inference.files import find_images
    from resnext.inference.load import load

    network = load(arguments.run, precision=arguments.precision)
    is_detector = isinstance(network.config, DetectorConfig)
    if arguments.min_score is not None and not is_detector:
        raise ConfigError("--min-score: this network does not find objects; leave it out")
    if arguments.text and (network.card.signal is None or network.card.signal.text is None):
        raise ConfigError("--text: this network does not take text; leave it out")
    if network.card.signal is not None:
        return _predict_signals(arguments, network)
    ignored = Counter[str]()
    paths = find_images(arguments.images, ignored)
    first = next(paths, None)
    if first is None:
        given = ", ".join(map(str, arguments.images))
        others = f" (left out: {describe_ignored(ignored)})" if ignored else ""
        raise DataError(
            f"no image found in {given}{others}; give image files or folders with images"
        )
    if is_detector and arguments.batch_size is not None:
        raise ConfigError("--batch-size: detectors take one image at a time; leave it out")
    if is_detector and arguments.precision == "bf16":
        raise ConfigError("--precision bf16: detectors compute in fp32; leave it out")
    paths = _without_results(arguments, chain([first], paths))
    num, bad = _predict_images(arguments, network, paths)
    if ignored:
        left_out = describe_ignored(ignored)
        print(f"resnext: skipped files that are not images: {left_out}", file=sys.stderr)
    return _end(num, bad)


def _without_results(arguments: Predict, paths: Iterable[Path]) -> Iterator[Path]:
    """Leave out the images in the folders that an earlier call wrote inside a given folder."""
    written = [folder.resolve() for folder in (arguments.draw, arguments.masks) if folder]
    for path in paths:
        if not any(path.resolve().is_relative_to(folder) for folder in written):
            yield path


def _predict_images(
    arguments: Predict, network: TrainedNetwork, paths: Iterable[Path]
) -> tuple[int, int]:
    from resnext.api.predictor import open_predictor
    from resnext.cli.prediction_pictures import Pictures
    from resnext.inference.files import predict_images

    predictor = open_predictor(arguments.run, arguments.device, arguments.precision, opened=network)
    reader = predictor.preprocessor.read
    pictures = Pictures(predictor.answers, reader, arguments.draw, arguments.masks)
    rows = predict_images(
        predictor,
        paths,
        top=arguments.top,
        batch_size=arguments.batch_size or _BATCH,
        min_score=arguments.min_score,
    )
    found = _print(arguments, rows, predictor, pictures)
    if predictor.parity is not None:
        print(f"resnext: bf16 against fp32 {predictor.parity}", file=sys.stderr)
    return found


def _predict_signals(arguments: Predict, network: TrainedNetwork) -> int:
    from resnext.inference.signals import SignalPredictor, predict_signals
    from resnext.inference.texts import predict_texts
    from resnext.inference.videos import predict_videos
    from resnext.runs.runtime import resolve_device

    refused = {
        "--precision bf16": arguments.precision == "bf16",
        "--draw": arguments.draw,
        "--masks": arguments.masks,
    }
    for flag in (name for name, value in refused.items() if value):
        raise ConfigError(f"{flag} needs a network for images; leave it out")
    predictor = SignalPredictor(network, resolve_device(arguments.device))
    top, batch_size = arguments.top or _TOP, arguments.batch_size or _BATCH
    if predictor.signal.text is not None:
        given = (arguments.text, arguments.images)
        rows = predict_texts(predictor, *given, top=top, batch_size=batch_size)
    elif predictor.signal.video is not None:
        rows = predict_videos(predictor, arguments.images, top=top)
    else:
        rows = predict_signals(predictor, arguments.images, top=top, batch_size=batch_size)
    return _end(*_print(arguments, rows, predictor))


def _print(
    arguments: Predict,
    rows: Iterable[Prediction],
    predictor: Predictor | SignalPredictor,
    pictures: Pictures | None = None,
) -> tuple[int, int]:
    """Print predictions as they arrive; return their number, and the number of bad files."""
    from resnext.cli.prediction_output import CsvOutput, JsonOutput, TableOutput

    kind = JsonOutput if arguments.json else CsvOutput if arguments.csv else TableOutput
    num, bad = 0, 0
    with kind(sys.stdout, predictor.answers, predictor.precision) as output:
        for row in rows:
            output.write(row)
            if pictures is not None:
                pictures.write(row)
            num += 1
            bad += row.error is not None
    return num, bad


def _end(num: int, bad: int) -> int:
    """Print the number of bad files, and return the exit status."""
    if bad:
        print(f"resnext: {bad} of {num} files could not be read", file=sys.stderr)
    return 1 if bad else 0


def _check(arguments: Predict) -> None:
    if not arguments.images and not arguments.text:
        raise ConfigError(
            "predict needs images: give image files or folders after the network, as in `resnext "
            f"predict runs/photos photo.jpg folder/`; only {shown(str(arguments.run))} was given"
        )
    if arguments.json and arguments.csv:
        raise ConfigError("give either --json or --csv, not both")
    check_ranges(arguments, {"batch_size": (1, _MAX_BATCH), "top": (1, None), "min_score": (0, 1)})
    for path in arguments.images:
        if address := re.match(r"([a-z][a-z0-9+]+:)/(.*)", str(path)):  # a path has one slash
            url = "//".join(address.groups())
            raise ConfigError(f"{url}: addresses are not opened; download the file first")
        if str(path) == "-" and not path.exists():
            raise ConfigError("-: standard input is not read; give files or folders")
    given = {path.resolve() for path in arguments.images}
    for flag, folder in (("--draw", arguments.draw), ("--masks", arguments.masks)):
        if folder is None:
            continue
        if folder.suffix.lower() in EXTENSIONS and not folder.is_dir():
            raise ConfigError(f"{flag} {folder}: give a folder, not a file")
        if folder.resolve() in given:
            raise ConfigError(
                f"{flag} {folder}: this folder is an input, and its files would be replaced; "
                "choose another folder"
            )
