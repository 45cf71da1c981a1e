"""Evaluate a trained network: errors, loss, calibration, confusion.

With only RUN it repeats the validation of training with the best weights, and writes
evaluation.json and report.html to the run folder. Results of other protocols are only printed,
unless --out or --report is given.

Examples:
  resnext evaluate runs/photos
  resnext evaluate runs/photos --flip --json
  resnext evaluate runs/photos --data other-photos/ --report other.html
  resnext evaluate runs/imagenet --size 320 --resize 320
  resnext evaluate runs/imagenet --ten-crop
  resnext evaluate detector.pth --data coco:cells
  resnext evaluate runs/imagenet --real real.json
  resnext evaluate runs/imagenet --imagenet-v2 --data imagenetv2-matched-frequency-format-val
  torchrun --nproc-per-node 2 -m resnext evaluate runs/photos
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from resnext.api.evaluate_request import EvaluateRequest, build_protocol, is_kept_in_run
from resnext.cli.arguments import option, parse
from resnext.cli.output_file import check_place, writing
from resnext.errors import ConfigError, RunError
from resnext.sigterm import tidy_on_sigterm
from resnext.untrusted.text import printable

if TYPE_CHECKING:
    from rich.table import Table

    from resnext.evaluation.run import Evaluation
    from resnext.evaluation.target import Protocol
    from resnext.tasks.measure import Measure
    from resnext.tasks.task import Task

_MAX_CLASSES = 20
"""With more classes only the worst are listed."""

_NUM_WORST_CLASSES = 10


@dataclass(frozen=True)
class Evaluate(EvaluateRequest):
    """Evaluate a trained network: errors, loss, calibration, confusion."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")] = field(kw_only=True)
    """A run, a weight file, or a name from `resnext weights list`."""
    data: Annotated[str | None, option("DATA", "the run's own")] = None
    """The data set, as for `resnext train`."""
    split: Annotated[
        Literal["val", "test", "train", "all"] | None,
        option("val|test|train|all", "val, or all for a folder without splits"),
    ] = None
    """Split to use."""
    size: Annotated[int | None, option("PIXELS", "the training size")] = None
    """Side of the crop in pixels."""
    resize: Annotated[int | None, option("PIXELS", "as in training, scaled to --size")] = None
    """Short side to which files are resized before the crop."""
    ten_crop: bool = False
    """Average over crops of the corners and the centre, each also mirrored."""
    flip: bool = False
    """Average over the image and its mirror image."""
    real: Annotated[Path | None, option("FILE")] = None
    """Use the reassessed labels of ImageNet (ReaL): the official real.json."""
    imagenet_v2: bool = False
    """The data set is an ImageNet-V2 folder, with classes named 0 to 999."""
    all_classes: bool = False
    """Predict among all classes of the network, even if the data set has fewer."""
    batch_size: Annotated[int | None, option("N", "128")] = None
    """Batch size of crops per process."""
    workers: Annotated[int | None, option("N", "one per core, at most 8")] = None
    """Number of processes that decode files."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:N or mps."""
    out: Annotated[Path | None, option("FILE")] = None
    """Write the metrics as JSON to this file."""
    report: Annotated[Path | None, option("FILE")] = None
    """Write the report to this file."""
    json: bool = False
    """Print the metrics as JSON."""
    quiet: bool = False
    """Print only errors, and JSON if requested."""


def main(argv: list[str]) -> int:
    """Run the verb.

    Raises:
        ResNeXtError: An argument is wrong, or the run, the data or a file to write cannot be used.
    """
    arguments = parse(Evaluate, argv, __doc__, extra="--data")
    protocol = build_protocol(arguments)
    _check_places(arguments, protocol)

    # torch is imported from here on, after the arguments were found to be right
    from resnext.evaluation.run import EvaluationOptions, measure
    from resnext.progress import show_progress
    from resnext.runs.config import RuntimeConfig
    from resnext.runs.runtime import open_runtime

    # Full precision (on a GPU without TF32), so that the figures do not depend on the device.
    settings = RuntimeConfig(device=arguments.device, precision="fp32")
    with tidy_on_sigterm(), open_runtime(settings) as runtime:
        with show_progress(quiet=arguments.quiet or not runtime.is_main) as progress:
            is_silent = arguments.quiet or not runtime.is_main
            note = None if is_silent else partial(print, file=sys.stderr)
            effort = EvaluationOptions(arguments.batch_size, arguments.workers, progress, note)
            evaluation = measure(arguments.run, protocol, runtime, effort)
        if runtime.is_main:
            _finish(arguments, protocol, evaluation)
    return 0


def _check_places(arguments: Evaluate, protocol: Protocol) -> None:
    """Check before the evaluation that the files can be written."""
    for flag, path in (("--out", arguments.out), ("--report", arguments.report)):
        if path is not None:
            check_place(flag, path)
    if arguments.out and arguments.report and arguments.out.resolve() == arguments.report.resolve():
        raise ConfigError(f"--out and --report would both write {arguments.out}; give two files")
    run = arguments.run
    if is_kept_in_run(arguments.run, protocol) and not os.access(run, os.W_OK):
        raise RunError(
            f"{run} is not writable, but evaluation.json and report.html are written there; make "
            "it writable, or evaluate only its weights, which prints the metrics: resnext "
            f"evaluate {run / 'best.safetensors'} --data DATA"
        )


def _finish(arguments: Evaluate, protocol: Protocol, evaluation: Evaluation) -> None:
    """Print and write the results; printed first, in case writing fails."""
    if not arguments.quiet:
        for bad in evaluation.bad_files:
            print(printable(f"bad file {bad['path']}: {bad['reason']}"), file=sys.stderr)
    if arguments.json:
        print(json.dumps(evaluation.figures))
    elif not arguments.quiet:
        from resnext.terminal import create_console

        console = create_console()
        console.print(_table(evaluation))
        if by_class := evaluation.figures.get("per_class"):
            console.print(_class_table(evaluation.task, by_class))
    for path in _write(arguments, protocol, evaluation):
        if not (arguments.quiet or arguments.json):
            print(f"wrote {path}")


def _write(arguments: Evaluate, protocol: Protocol, evaluation: Evaluation) -> list[Path]:
    from resnext.evaluation.report import write_report
    from resnext.evaluation.run import write_results
    from resnext.runs.folder import write_json

    written = []
    if is_kept_in_run(arguments.run, protocol):
        written = write_results(arguments.run, evaluation)
    if arguments.out is not None:
        with writing(arguments.out):
            write_json(arguments.out, evaluation.figures, is_shared=True)
        written.append(arguments.out)
    if arguments.report is not None:
        written.append(write_report(arguments.report, arguments.run, evaluation))
    return written


def _table(evaluation: Evaluation) -> Table:
    from rich.table import Table

    figures = evaluation.figures
    view, data, images = figures["view"], figures["data"], evaluation.target.images
    crops = "ten crops" if view["ten_crop"] else "crop and mirror" if view["flip"] else "one crop"
    signal = evaluation.target.info.signal
    kind = evaluation.task.kind
    is_whole = kind.is_dense or kind.finds_objects
    shown = "whole" if is_whole else f"{crops} of {view['size_px']} px"
    if signal is not None:
        shown = f"{signal.kind} of {signal.shape}"
    table = Table(title=f"{data['name']}, {images}, {shown}")
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_row(evaluation.target.info.noun, f"{figures['num_images']:,}")
    for name, value in evaluation.task.rows(figures):
        table.add_row(name, value)
    table.add_row("parameters", f"{figures['parameters']:,}")
    table.add_row("multiply-adds", f"{figures['macs']:,}")
    return table


def _class_table(task: Task, by_class: dict[str, dict[str, Any]]) -> Table:
    """Show all classes, or the worst ones."""
    from rich.table import Table

    from resnext.tasks.section import worst_of

    is_large = len(by_class) > _MAX_CLASSES
    shown = (
        worst_of(by_class, task.worst_key)[:_NUM_WORST_CLASSES] if is_large else by_class.items()
    )
    by = {column.key: column.label for column in task.class_columns}.get(task.worst_key)
    title = f"the {len(shown)} classes with the lowest {by} of {len(by_class):,}"
    table = Table(title=title if is_large else "")
    table.add_column("class", overflow="fold")
    for column in task.class_columns:
        table.add_column(column.label, justify="right")
    for name, row in shown:
        table.add_row(name, *(_cell(column, row.get(column.key)) for column in task.class_columns))
    return table


def _cell(column: Measure, value: float | None) -> str:
    return "" if value is None else column.write(value)
