"""Static int8: weights per channel, activations by calibration on real images.

Weights keep to 7 bits: processors without VNNI add two products of 8 bits in 16, which
overflows, and the figures would depend on the machine.

Source: Jacob et al., arXiv 1712.05877; ONNX Runtime's documentation on quantization.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import onnx
import torch
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from resnext.runtimes.exported import Array
from resnext.runtimes.open import open_exported
from resnext.turns import take_turns

_BATCH = 8  # calibration images at once
_ROUNDS = 15


def quantise(source: Path, dest: Path, batches: Iterable[torch.Tensor]) -> int:
    """Write an ONNX file's network in int8; its description is the source's.

    Args:
        source: A file in fp32.
        dest: The file to write; a scratch file stands beside it meanwhile.
        batches: Images as the graph takes them, to find the range of each activation.

    Returns:
        The number of images that the ranges were found on.
    """
    prepared = dest.with_suffix(".prepared")
    quant_pre_process(source, prepared, skip_symbolic_shape=True)
    name = onnx.load(prepared, load_external_data=False).graph.input[0].name
    reader = _Reader(name, batches)
    quantize_static(
        prepared,
        dest,
        reader,
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        reduce_range=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=CalibrationMethod.MinMax,
        op_types_to_quantize=["Conv", "Gemm", "MatMul", "Add", "MaxPool"],
    )
    prepared.unlink()
    return reader.num_images


class _Reader(CalibrationDataReader):  # type: ignore[misc]  # the library carries no types
    """Hands over calibration images a few at a time."""

    def __init__(self, name: str, batches: Iterable[torch.Tensor]) -> None:
        self.num_images = 0  # handed over so far
        self._name = name
        self._parts = (part for batch in batches for part in torch.split(batch, _BATCH))

    def get_next(self) -> dict[str, Array] | None:
        """Return the next images, or None at the end."""
        part = next(self._parts, None)
        if part is None:
            return None
        self.num_images += len(part)
        return {self._name: part.contiguous().numpy()}


@dataclass(frozen=True)
class Quantised:
    """What int8 changed.

    Attributes:
        num_calibration_images: Images that the ranges were found on.
        num_bytes: Of the int8 file.
        fp32_num_bytes: Of the file in fp32.
        latency_ms: Median time of one image here, all cores, in int8.
        fp32_latency_ms: The same in fp32, measured in turns.
        top1_error: On the validation split, in percent.
        fp32_top1_error: On the same images.
        num_images: Images of that split.
    """

    num_calibration_images: int
    num_bytes: int
    fp32_num_bytes: int
    latency_ms: float
    fp32_latency_ms: float
    top1_error: float
    fp32_top1_error: float
    num_images: int

    @property
    def loss(self) -> float:
        """Top-1 error that int8 adds, in percentage points."""
        return self.top1_error - self.fp32_top1_error


def time_both(first: Path, second: Path, batch: Any) -> tuple[float, float]:
    """Time one batch in two files, in turns: medians in milliseconds."""
    networks = [open_exported(path) for path in (first, second)]
    seconds = take_turns([partial(network.run, batch) for network in networks], _ROUNDS, warm_up=2)
    first_ms, second_ms = (1000 * statistics.median(times) for times in seconds)
    return first_ms, second_ms
