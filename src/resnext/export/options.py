"""What to export, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from resnext.errors import ConfigError
from resnext.inference.parity import Parity
from resnext.runtimes.spec import ExportSpec, Format, Input
from resnext.settings import Settings

OPSETS = range(18, 24)
"""Versions of the ONNX operators that torch's exporter writes itself."""


class ExportOptions(Settings):
    """How to export a network.

    Attributes:
        to: Kind of file.
        input: What callers give; see `ExportSpec`. None takes pixels of images, values of signals.
        size_px: Side of the crop; None takes that of validation.
        dynamic_size: Take crops of other sizes as well.
        opset: Version of the ONNX operators; None takes torch's default.
    """

    to: Format = "onnx"
    input: Input | None = None
    size_px: int | None = Field(default=None, ge=1)
    dynamic_size: bool = False
    opset: int | None = None

    @model_validator(mode="after")
    def _check(self) -> ExportOptions:
        if self.opset is not None and self.to not in ("onnx", "openvino"):
            raise ConfigError(f"opset={self.opset}: {self.to} has no operator sets; leave it out")
        if self.opset is not None and self.opset not in OPSETS:
            raise ConfigError(
                f"opset={self.opset}: accepted are {OPSETS[0]} to {OPSETS[-1]}, or none for torch's"
            )
        if self.input == "image" and self.to != "onnx":
            raise ConfigError(
                f"input='image': resizing as in training is exact in ONNX only, {self.to} does it "
                "another way; export to onnx, or take input='pixels' and resize before"
            )
        if self.input == "image" and self.dynamic_size:
            raise ConfigError(
                "dynamic_size=True: an input of kind 'image' takes any size already and crops it "
                "to the one size inside; leave dynamic_size out, or export input='pixels'"
            )
        return self


@dataclass(frozen=True)
class ExportReport:
    """What was written.

    Attributes:
        paths: The files; the first is the one to open.
        spec: What the graph takes.
        num_bytes: All files together.
        parity: The comparison with PyTorch.
        quantised: What int8 or bf16 changed, if that was asked for.
    """

    paths: tuple[Path, ...]
    spec: ExportSpec
    num_bytes: int
    parity: Parity
    quantised: dict[str, Any] | None = None
