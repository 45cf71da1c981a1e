"""`Run.export`: export in Python."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, get_args

from resnext.api.checks import check_choice
from resnext.api.export_request import (
    ExportRequest,
    check_export,
    destination,
    is_lower,
    run_export,
)
from resnext.api.given_data import as_path, open_given
from resnext.api.guest import guest
from resnext.api.settings import check_names
from resnext.evaluation.run import EvaluationOptions
from resnext.inference.load import load
from resnext.progress import show_progress, tell
from resnext.runtimes.spec import Format, Input

if TYPE_CHECKING:
    from resnext.data.config import DataConfig
    from resnext.export.options import ExportReport


class ExportFlags(TypedDict, total=False):
    """Options of `resnext export`."""

    to: Literal["onnx", "openvino", "pt2", "torchscript"]
    """File format; by default onnx."""
    input: Literal["pixels", "image", "values", "normalised"]
    """Input of the exported network; by default uint8 pixels, resized and cropped, and values of
    signals."""
    size: int
    """Side of the crop in pixels; by default that of the validation."""
    dynamic_size: bool
    """Accept crops of any size."""
    opset: int
    """Version of the ONNX operators, 18 to 23."""
    data: str | Path | DataConfig
    """Images for the comparison, and for int8 calibration and measurement; by default the run's."""
    int8: bool
    """Quantise weights and activations to 8 bits, and measure the loss of accuracy."""
    precision: Literal["fp32", "bf16"]
    """bf16 writes a file that OpenVINO runs in bf16, and measures the loss of accuracy."""
    calibrate: int
    """Number of training images for int8 calibration."""
    max_loss: float
    """Maximum loss by int8 or bf16, in points of the top-1 error, or of the mIoU for masks; by
    default 1."""
    force: bool
    """Replace the file if it exists."""


def export_source(
    source: Path, out: str | Path | None, flags: Mapping[str, Any], *, progress: bool
) -> ExportReport:
    """Export a run; see `Run.export`.

    Args:
        source: The run.
        out: The file to write.
        flags: Options of the command.
        progress: Show the progress of measuring a lower precision.
    """
    check_names(flags, ExportFlags.__annotations__)
    for name, accepted in (
        ("to", get_args(Format)),
        ("input", get_args(Input)),
        ("precision", ("fp32", "bf16")),
    ):
        if name in flags:
            check_choice(name, flags[name], accepted)
    values = {**flags, "data": open_given(flags.get("data")).named}
    request = ExportRequest(source, out=as_path("out", out), **values)
    check_export(request)
    dest = destination(request)
    is_silent = not progress or not is_lower(request)
    with guest(), show_progress(quiet=is_silent) as advance:
        effort = EvaluationOptions(progress=advance, note=tell if progress else None)
        return run_export(request, load(source), dest, effort)
