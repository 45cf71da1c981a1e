"""Options and results of an export."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from resnext.data.config import MAX_SIDE_PX
from resnext.errors import ConfigError
from resnext.inference.parity import Parity
from resnext.runtimes.spec import ExportSpec, Format, Input
from resnext.settings import Settings

OPSETS = range(18, 24)
"""Opset versions that torch's exporter writes directly."""


class ExportOptions(Settings):
    """How to export a network.

    Attributes:
        to: Kind of file.
        input: The kind of input; see `ExportSpec`. None means pixels of images, values of signals.
        size_px: Side of the crop; None uses that of validation.
        dynamic_size: Accept crops of other sizes as well.
        opset: ONNX opset version; None uses torch's default.
    """

    to: Format = "onnx"
    input: Input | None = None
    size_px: int | None = Field(default=None, ge=1, le=MAX_SIDE_PX)
    dynamic_size: bool = False
    opset: int | None = None

    @model_validator(mode="after")
    def _check(self) -> ExportOptions:
        if self.opset is not None and self.to not in ("onnx", "openvino"):
            raise ConfigError(f"opset={self.opset}: {self.to} has no opsets; omit it")
        if self.opset is not None and self.opset not in OPSETS:
            raise ConfigError(
                f"opset={self.opset}: accepted are {OPSETS[0]} to {OPSETS[-1]}, or None"
            )
        if self.input == "image" and self.to != "onnx":
            raise ConfigError(
                f"input='image': resizing is exact only in ONNX; {self.to} resizes differently. "
                "Export to onnx, or use input='pixels' and resize before"
            )
        if self.input == "image" and self.dynamic_size:
            raise ConfigError(
                "dynamic_size=True: input='image' already takes any size and crops it to a fixed "
                "size; omit dynamic_size, or use input='pixels'"
            )
        return self


@dataclass(frozen=True)
class ExportReport:
    """The result of an export.

    Attributes:
        paths: The files; the first is the one to open.
        spec: The input of the graph.
        num_bytes: Size of all files.
        parity: The comparison with PyTorch.
        quantised: The changes by int8 or bf16, if requested.
    """

    paths: tuple[Path, ...]
    spec: ExportSpec
    num_bytes: int
    parity: Parity
    quantised: dict[str, Any] | None = None
