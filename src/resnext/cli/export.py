"""Export a trained network to a file that runs without this package, and verify the result.

The file contains the classes, the preprocessing, the architecture and the measured error, and works
with `resnext predict`, `evaluate`, `serve` and `benchmark` in place of a run. It is compared with
PyTorch on real images or signals, and discarded if the results differ.

Input of the exported network: uint8 pixels, resized and cropped (--input pixels); one uint8 image
of any size (--input image); float32 values of time series or volumes (--input values); or
normalised float32 values (--input normalised).

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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from resnext.api.export_request import (
    CALIBRATION_IMAGES,
    MAX_LOSS,
    ExportRequest,
    check_export,
    destination,
    is_lower,
    run_export,
)
from resnext.cli.arguments import option, parse
from resnext.progress import show_progress, tell
from resnext.sigterm import tidy_on_sigterm

if TYPE_CHECKING:
    from resnext.export.options import ExportReport
    from resnext.tasks.measure import Measure


@dataclass(frozen=True)
class Export(ExportRequest):
    """Export a trained network to a file that runs without this package."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """A run, a weight file, or a name from `resnext weights list`."""
    to: Literal["onnx", "openvino", "pt2", "torchscript"] = "onnx"
    """File format. PyTorch has deprecated TorchScript."""
    out: Annotated[
        Path | None, option("FILE", "model.onnx, ... in the run's folder, or NAME.onnx")
    ] = None
    """The file to write."""
    input: Annotated[
        Literal["pixels", "image", "values", "normalised"] | None,
        option("pixels|image|values|normalised", "pixels, or values of signals"),
    ] = None
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
    calibrate: Annotated[int | None, option("N", str(CALIBRATION_IMAGES))] = None
    """Number of training images for int8 calibration."""
    max_loss: Annotated[float | None, option("POINTS", f"{MAX_LOSS:g}")] = None
    """Maximum loss by int8 or bf16, in points of the top-1 error, or of the mIoU for masks."""
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
    arguments = parse(Export, argv, __doc__, extra="--out")
    check_export(arguments)

    # torch is imported from here on, after the arguments were found to be right
    from resnext.evaluation.run import EvaluationOptions
    from resnext.inference.load import load

    dest = destination(arguments)
    is_silent = arguments.json or not is_lower(arguments)
    with tidy_on_sigterm():
        loaded = load(arguments.run)
        with show_progress(quiet=is_silent) as progress:
            effort = EvaluationOptions(progress=progress, note=tell)
            report = run_export(arguments, loaded, dest, effort)
    print(json.dumps(_facts(report)) if arguments.json else _text(report, loaded.card.task))
    return 0


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
