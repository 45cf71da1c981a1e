"""Export a trained network to a file that runs without this package, and verify the result.

The file contains the classes, the preprocessing, the architecture and the measured error, and works
with `resnext predict`, `evaluate`, `serve` and `benchmark` in place of a run. It is compared with
PyTorch on real images, and discarded if the results differ.

Input of the exported network: uint8 pixels, resized and cropped (--input pixels); one uint8 image
of any size (--input image); or normalised float32 values (--input normalised).

Examples:
  resnext export runs/photos
  resnext export runs/photos --to openvino --out photos.xml
  resnext export runs/photos --input image --out photos.onnx
  resnext export resnext50_32x4d.a1h_in1k --out resnext50.onnx --dynamic-size
  resnext export runs/photos --int8 --max-loss 0.5
  resnext export runs/photos --to openvino --precision bf16
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from resnext.cli.arguments import option, parse, refuse_ignored
from resnext.data.config import DataConfig
from resnext.data.sets.parse import parse_data
from resnext.errors import ConfigError
from resnext.sigterm import tidy_on_sigterm

if TYPE_CHECKING:
    from resnext.export.options import ExportOptions, ExportReport
    from resnext.model.trained import TrainedNetwork
    from resnext.tasks.measure import Measure

_CALIBRATION_IMAGES = 256
_MAX_LOSS = 1.0


@dataclass(frozen=True)
class Export:
    """Export a trained network to a file that runs without this package."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """A run, a weight file, or a name from `resnext weights list`."""
    to: Literal["onnx", "openvino", "pt2", "torchscript"] = "onnx"
    """File format. PyTorch has deprecated TorchScript."""
    out: Annotated[
        Path | None, option("FILE", "model.onnx, ... in the run's folder, or NAME.onnx")
    ] = None
    """The file to write."""
    input: Literal["pixels", "image", "normalised"] = "pixels"
    """Input of the exported network; see above."""
    size: Annotated[int | None, option("PIXELS", "that of the validation")] = None
    """Side of the crop."""
    dynamic_size: bool = False
    """Accept crops of any size. Batches can have any size, except with --input image."""
    opset: Annotated[int | None, option("N", "torch's, 20")] = None
    """Version of the ONNX operators, 18 to 23."""
    data: Annotated[str | None, option("DATA", "the run's own, or two photographs")] = None
    """Images for the comparison, and for int8 calibration and measurement; as for `train`."""
    int8: bool = False
    """Quantise weights and activations to 8 bits, and measure the loss of accuracy."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """bf16 writes a file that OpenVINO runs in bf16, and measures the loss of accuracy (--to
    openvino)."""
    calibrate: Annotated[int | None, option("N", str(_CALIBRATION_IMAGES))] = None
    """Number of training images for int8 calibration."""
    max_loss: Annotated[float | None, option("POINTS", f"{_MAX_LOSS:g}")] = None
    """Maximum increase of the top-1 error by int8 or bf16, in percentage points."""
    force: bool = False
    """Replace FILE if it exists."""
    json: bool = False
    """Print the result as JSON."""


def main(argv: list[str]) -> int:
    """Run the verb.

    Raises:
        ConfigError: A flag is wrong or does not fit the network.
        ResNeXtError: The network cannot be loaded, exported or written.
    """
    arguments = parse(Export, argv, __doc__)
    _check(arguments)

    # torch is imported from here on, after the arguments were found to be right
    from resnext.export.options import ExportOptions
    from resnext.inference.load import load

    options = ExportOptions(
        to=arguments.to,
        input=arguments.input,
        size_px=arguments.size,
        dynamic_size=arguments.dynamic_size,
        opset=arguments.opset,
    )
    dest = _destination(arguments)
    if dest.exists() and not arguments.force:
        raise ConfigError(f"{dest} exists; choose another file (--out) or add --force")
    with tidy_on_sigterm():
        loaded = load(arguments.run)
        report = _export(arguments, loaded, dest, options)
    print(json.dumps(_facts(report)) if arguments.json else _text(report, loaded.card.task))
    return 0


def _check(arguments: Export) -> None:
    from resnext.runtimes.open import is_exported

    if is_exported(arguments.run):
        raise ConfigError(
            f"{arguments.run}: is an exported file already; export its run or weight file again"
        )
    is_bf16 = arguments.precision == "bf16"
    if arguments.int8 and is_bf16:
        raise ConfigError("--int8 and --precision bf16 are two precisions; give one of them")
    if not arguments.int8:
        refuse_ignored(arguments, ("calibrate",), "--int8")
        if not is_bf16:
            refuse_ignored(arguments, ("max_loss",), "--int8 or --precision bf16")
    if arguments.calibrate is not None and arguments.calibrate < 1:
        raise ConfigError(f"--calibrate {arguments.calibrate}: give a positive number of images")


def _is_lower(arguments: Export) -> bool:
    """Tell whether the precision is one that loses something."""
    return arguments.int8 or arguments.precision == "bf16"


def _destination(arguments: Export) -> Path:
    from resnext.export.export import SUFFIX

    if arguments.out is not None:
        return arguments.out
    kind = ".int8" if arguments.int8 else ".bf16" if arguments.precision == "bf16" else ""
    suffix = kind + SUFFIX[arguments.to]
    run = arguments.run
    if run.is_dir():
        return run / f"model{suffix}"
    name = run.stem if run.is_file() else run.name
    return Path(f"{name}{suffix}")


def _export(
    arguments: Export, loaded: TrainedNetwork, dest: Path, options: ExportOptions
) -> ExportReport:
    from resnext.export.export import NUM_COMPARED, export_model
    from resnext.export.images import data_images
    from resnext.inference.preprocessor import takes_images

    data = _data(arguments)
    if not _is_lower(arguments):
        images = None
        if arguments.data is not None and not takes_images(loaded.config):
            raise ConfigError(
                f"--data {arguments.data}: the network takes no photographs and is compared with "
                "PyTorch on random input; leave it out"
            )
        if data is not None and takes_images(loaded.config):
            images = data_images(data, "val", loaded.config.in_channels, NUM_COMPARED)
        return export_model(loaded, dest, options, images)
    from resnext.cli.progress import show_progress
    from resnext.evaluation.run import EvaluationOptions
    from resnext.export.export_bf16 import export_bf16
    from resnext.export.export_int8 import export_int8

    if data is None:
        raise ConfigError(
            f"{arguments.run} does not say its data set, and a lower precision is measured on "
            "one: --data digits, --data FOLDER"
        )
    max_loss = _MAX_LOSS if arguments.max_loss is None else arguments.max_loss
    with show_progress(quiet=arguments.json) as progress:
        effort = EvaluationOptions(progress=progress, note=partial(print, file=sys.stderr))
        if arguments.precision == "bf16":
            return export_bf16(loaded, dest, options, data, max_loss=max_loss, effort=effort)
        return export_int8(
            loaded,
            dest,
            options,
            data,
            num_calibration_images=arguments.calibrate or _CALIBRATION_IMAGES,
            max_loss=max_loss,
            effort=effort,
        )


def _data(arguments: Export) -> DataConfig | None:
    """Return the data set that was asked for, else the run's own if it is still there."""
    from resnext.data.sets.load import load_data
    from resnext.errors import DataError
    from resnext.runs.folder import CONFIG, read_config

    if arguments.data is not None:
        return parse_data(arguments.data, is_whole=True)
    if not (arguments.run / CONFIG).exists():
        return None
    data = read_config(arguments.run).data
    if _is_lower(arguments):
        return data
    try:
        load_data(data)
    except DataError:  # the comparison does with other photographs
        return None
    return data


def _facts(report: ExportReport) -> dict[str, Any]:
    return {
        "paths": [str(path) for path in report.paths],
        **report.spec.model_dump(mode="json"),
        "num_bytes": report.num_bytes,
        "parity": asdict(report.parity),
        "int8": report.quantised if report.spec.precision == "int8" else None,
        "bf16": report.quantised if report.spec.precision == "bf16" else None,
    }


def _text(report: ExportReport, task: str) -> str:
    from resnext.tasks.kinds import task_kind

    spec, parity = report.spec, report.parity
    files = " and ".join(str(path) for path in report.paths)
    lines = [
        f"wrote {files}: {spec.format}, {spec.precision}, {report.num_bytes / 2**20:.1f} MiB",
        f"compared with PyTorch {parity}",
    ]
    if report.quantised is not None:
        measure = task_kind(task).measure
        lines += _changes(report.quantised, spec.precision, measure)
    return "\n".join(lines)


def _changes(lower: dict[str, Any], precision: str, measure: Measure) -> list[str]:
    """Say what a lower precision changed."""
    how = f", calibrated on {lower['num_calibration_images']} images" * (precision == "int8")
    return [
        f"{precision}{how}:",
        f"  {measure.label} {measure.write(lower[measure.key])} instead of "
        f"{measure.write(lower[f'fp32_{measure.key}'])} ({lower['loss']:+.2f} points worse, "
        f"{lower['num_images']:,} images)",
        f"  size {lower['num_bytes'] / 2**20:.1f} MiB instead of "
        f"{lower['fp32_num_bytes'] / 2**20:.1f} MiB",
        f"  one image {lower['latency_ms']:.2f} ms instead of {lower['fp32_latency_ms']:.2f} ms "
        "here",
    ]
