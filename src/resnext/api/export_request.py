"""Export requests: the flags of `resnext export`, and the export."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from resnext.api.checks import refuse_ignored
from resnext.data.config import DataConfig
from resnext.data.sets.parse import parse_data
from resnext.errors import ConfigError

if TYPE_CHECKING:
    from resnext.evaluation.run import EvaluationOptions
    from resnext.export.options import ExportOptions, ExportReport
    from resnext.model.trained import TrainedNetwork

CALIBRATION_IMAGES = 256
MAX_LOSS = 1.0


@dataclass(frozen=True)
class ExportRequest:
    """A requested export.

    Attributes:
        run: A run, a weight file or a published name.
        to: File format.
        out: The file to write.
        input: Input of the exported network; None takes pixels of images, values of signals.
        size: Side of the crop, in pixels.
        dynamic_size: Accept crops of any size.
        opset: Version of the ONNX operators.
        data: Images for comparison, calibration and measurement.
        int8: Quantise weights and activations to 8 bits.
        precision: bf16 writes a file that OpenVINO runs in bf16.
        calibrate: Number of training images for int8 calibration.
        max_loss: Maximum loss by int8 or bf16, in points of the measure of the task.
        force: Replace the file if it exists.
    """

    run: Path
    to: Literal["onnx", "openvino", "pt2", "torchscript"] = "onnx"
    out: Path | None = None
    input: Literal["pixels", "image", "values", "normalised"] | None = None
    size: int | None = None
    dynamic_size: bool = False
    opset: int | None = None
    data: str | DataConfig | None = None
    int8: bool = False
    precision: Literal["fp32", "bf16"] = "fp32"
    calibrate: int | None = None
    max_loss: float | None = None
    force: bool = False


def check_export(request: ExportRequest) -> None:
    """Check for unclear or ignored options before torch is imported.

    Raises:
        ConfigError: A flag is wrong.
    """
    from resnext.runtimes.open import is_exported

    if is_exported(request.run):
        raise ConfigError(
            f"{request.run}: is already an exported file; export its run or weight file again"
        )
    is_bf16 = request.precision == "bf16"
    if request.int8 and is_bf16:
        raise ConfigError("give either --int8 or --precision bf16, not both")
    if not request.int8:
        refuse_ignored(request, ("calibrate",), "--int8")
        if not is_bf16:
            refuse_ignored(request, ("max_loss",), "--int8 or --precision bf16")
    if request.calibrate is not None and request.calibrate < 1:
        raise ConfigError(f"--calibrate {request.calibrate}: give a positive number of images")


def is_lower(request: ExportRequest) -> bool:
    """Return whether the precision is lower than fp32, so that its effect is measured."""
    return request.int8 or request.precision == "bf16"


def destination(request: ExportRequest) -> Path:
    """Return the file to write.

    Raises:
        ConfigError: It exists and `force` is not set.
    """
    dest = _file_of(request)
    if dest.exists() and not request.force:
        raise ConfigError(f"{dest} exists; choose another file (--out) or add --force")
    return dest


def _file_of(request: ExportRequest) -> Path:
    from resnext.export.export import SUFFIX

    if request.out is not None:
        return request.out
    kind = ".int8" if request.int8 else ".bf16" if request.precision == "bf16" else ""
    suffix = kind + SUFFIX[request.to]
    run = request.run
    if run.is_dir():
        return run / f"model{suffix}"
    name = run.stem if run.is_file() else run.name
    return Path(f"{name}{suffix}")


def run_export(
    request: ExportRequest, loaded: TrainedNetwork, dest: Path, effort: EvaluationOptions
) -> ExportReport:
    """Export a network at the requested precision.

    Args:
        request: The request.
        loaded: The network.
        dest: The file; see `destination`.
        effort: Batch size and workers for measuring a lower precision.

    Raises:
        ConfigError: A flag does not fit the network.
        ResNeXtError: The network cannot be exported or written.
    """
    from resnext.export.options import ExportOptions

    options = ExportOptions(
        to=request.to,
        input=request.input,
        size_px=request.size,
        dynamic_size=request.dynamic_size,
        opset=request.opset,
    )
    return _export(request, loaded, dest, options, effort)


def _export(
    request: ExportRequest,
    loaded: TrainedNetwork,
    dest: Path,
    options: ExportOptions,
    effort: EvaluationOptions,
) -> ExportReport:
    from resnext.export.export import NUM_COMPARED, export_model
    from resnext.export.samples import data_samples, takes_samples

    data = _data(request)
    if not is_lower(request):
        samples = None
        if request.data is not None and not takes_samples(loaded):
            raise ConfigError(
                f"--data {request.data}: the network does not take photographs and is compared "
                "with PyTorch on random input; leave it out"
            )
        if data is not None and takes_samples(loaded):
            samples = data_samples(data, "val", loaded, NUM_COMPARED)
        return export_model(loaded, dest, options, samples)
    from resnext.export.export_bf16 import export_bf16
    from resnext.export.export_int8 import export_int8

    if data is None:
        raise ConfigError(
            f"{request.run} does not name its data set, which a lower precision is measured on; "
            "give --data digits or --data FOLDER"
        )
    max_loss = MAX_LOSS if request.max_loss is None else request.max_loss
    if request.precision == "bf16":
        return export_bf16(loaded, dest, options, data, max_loss=max_loss, effort=effort)
    return export_int8(
        loaded,
        dest,
        options,
        data,
        num_calibration_images=request.calibrate or CALIBRATION_IMAGES,
        max_loss=max_loss,
        effort=effort,
    )


def _data(request: ExportRequest) -> DataConfig | None:
    """Return the requested data set, or the run's own if it still exists."""
    from resnext.data.sets.load import load_data
    from resnext.errors import DataError
    from resnext.runs.folder import CONFIG, read_config

    if request.data is not None:
        given = request.data
        return parse_data(given, is_whole=True) if isinstance(given, str) else given
    if not (request.run / CONFIG).exists():
        return None
    data = read_config(request.run).data
    if is_lower(request):
        return data
    try:
        load_data(data)
    except DataError:  # the comparison does with other photographs
        return None
    return data
