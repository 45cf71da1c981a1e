"""Evaluate a frozen network's features with a linear probe and nearest neighbours.

A classifier is trained on the features of the training images and evaluated on the validation
images. The classes are those of the data set; the network need not know them.

linear: logistic regression on standardised features; the penalty is selected on a fifth of the
training images.

knn: the K nearest training images by cosine similarity s, with votes of exp(s / temperature).

Examples:
  resnext probe runs/photos
  resnext probe runs/photos other-photos/ --method linear --json
  resnext probe runs/photos other-photos/ --method knn --k 5 --temperature inf
  resnext probe best.safetensors digits --stage 2
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from resnext.api.checks import check_ranges, refuse_ignored
from resnext.cli.arguments import option, parse
from resnext.data.config import MAX_WORKERS
from resnext.data.sets.parse import parse_data

if TYPE_CHECKING:
    from rich.table import Table

    from resnext.evaluation.feature_source import FeatureSource
    from resnext.evaluation.knn import Neighbours
    from resnext.evaluation.probe import ProbeResult


@dataclass(frozen=True)
class Probe:
    """Evaluate a frozen network's features with a linear probe and nearest neighbours."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """A run, a weight file, or a name from `resnext weights list`."""
    data: Annotated[tyro.conf.Positional[str | None], option("DATA", "the run's own")] = None
    """The data set, as for `resnext train`."""
    method: Literal["linear", "knn", "both"] = "both"
    """The classifier."""
    k: Annotated[int | None, option("K", "20")] = None
    """Number of neighbours."""
    temperature: Annotated[float | None, option("T", "0.07")] = None
    """Temperature of the votes; inf makes all votes equal."""
    seed: Annotated[int | None, option("N", "0")] = None
    """Seed of the fifth of the training images used to select the linear penalty."""
    stage: Annotated[int | None, option("K", "before the classifier")] = None
    """Use the average of this stage's map instead."""
    batch_size: Annotated[int | None, option("N", "128")] = None
    """Batch size."""
    workers: Annotated[int | None, option("N", "one per core, at most 8")] = None
    """Processes that decode files."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:N or mps."""
    json: bool = False
    """Print a JSON list with one object per classifier."""


def main(argv: list[str]) -> int:
    """Run the verb.

    Raises:
        ResNeXtError: An argument is wrong, or the run or the data cannot be used.
    """
    arguments = parse(Probe, argv, __doc__)
    _check(arguments)
    data = None if arguments.data is None else parse_data(arguments.data)

    # torch is imported from here on, after the arguments were found to be right
    from resnext.evaluation.feature_source import FeatureRequest, FeatureSource
    from resnext.evaluation.probe import probe_knn, probe_linear, read_split
    from resnext.evaluation.run import EvaluationOptions
    from resnext.progress import show_progress
    from resnext.runs.runtime import resolve_device

    neighbours = _neighbours(arguments)
    device = resolve_device(arguments.device)
    with show_progress(quiet=False) as progress:
        note = partial(print, file=sys.stderr)
        effort = EvaluationOptions(arguments.batch_size, arguments.workers, progress, note)
        request = FeatureRequest(data, arguments.stage)
        source = FeatureSource(arguments.run, request, device, effort)
        if arguments.method != "linear":
            neighbours.check_bank(len(source.splits["train"]))
        train, val = read_split(source, "train"), read_split(source, "val")
    num_classes, results = len(source.info.classes), []
    if arguments.method != "knn":
        results.append(probe_linear(train, val, num_classes, arguments.seed or 0))
    if arguments.method != "linear":
        results.append(probe_knn(train, val, num_classes, neighbours, device))
    _report(arguments, source, results)
    return 0


def _check(arguments: Probe) -> None:
    """Check numbers, and refuse options that the method ignores."""
    check_ranges(
        arguments,
        {"batch_size": (1, None), "workers": (0, MAX_WORKERS), "k": (1, None), "seed": (0, None)},
    )
    if arguments.method == "linear":
        refuse_ignored(arguments, ("k", "temperature"), "--method knn")
    if arguments.method == "knn":
        refuse_ignored(arguments, ("seed",), "--method linear")


def _neighbours(arguments: Probe) -> Neighbours:
    from resnext.evaluation.knn import Neighbours

    usual = Neighbours()
    return Neighbours(
        usual.k if arguments.k is None else arguments.k,
        usual.temperature if arguments.temperature is None else arguments.temperature,
    )


def _report(arguments: Probe, source: FeatureSource, results: list[ProbeResult]) -> None:
    if arguments.json:
        shared = {"data": source.info.name, "stage": arguments.stage}
        print(json.dumps([result.as_dict() | shared for result in results]))
        return
    from resnext.terminal import create_console

    create_console().print(_table(source, results))
    if num_bad := len(source.bad_files):
        print(f"{num_bad} files could not be read and were left out")
    if not all(result.settings.get("converged", True) for result in results):
        print("the linear probe stopped before it converged; its error may be too high")


def _table(source: FeatureSource, results: list[ProbeResult]) -> Table:
    from rich.table import Table

    first = results[0]
    table = Table(
        title=f"frozen features on {source.info.name}: {first.num_train:,} training, "
        f"{first.num_images:,} validation images"
    )
    table.add_column("classifier")
    table.add_column("top-1 error", justify="right")
    table.add_column("top-5 error", justify="right")
    table.add_column("settings")
    for result in results:
        top5 = "" if result.top5_error is None else f"{result.top5_error:.2f} %"
        shown = {key: value for key, value in result.settings.items() if key != "converged"}
        settings = ", ".join(f"{key} {value}" for key, value in shown.items())
        table.add_row(result.method, f"{result.top1_error:.2f} %", top5, settings)
    return table
