"""Static int8: weights per channel, activations by calibration on real images.

Weights use 7 bits: CPUs without VNNI add two 8-bit products in 16 bits, which overflows, so results
would depend on the machine.

Source: Jacob et al., arXiv 1712.05877; ONNX Runtime's documentation on quantization.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from resnext.runtimes.exported import Array

_BATCH = 8  # calibration images at once


def quantise(source: Path, dest: Path, batches: Iterable[Array]) -> int:
    """Quantise an ONNX file to int8, and keep its description.

    Args:
        source: A file in fp32.
        dest: The file to write; a temporary file is created next to it.
        batches: Images or signals as input for the graph, to find the range of each activation.

    Returns:
        The number of calibration images.
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
    """Provides calibration images in small batches."""

    def __init__(self, name: str, batches: Iterable[Array]) -> None:
        self.num_images = 0  # provided so far
        self._name = name
        self._parts = (
            batch[start : start + _BATCH]
            for batch in batches
            for start in range(0, len(batch), _BATCH)
        )

    def get_next(self) -> dict[str, Array] | None:
        """Return the next images, or None at the end."""
        part = next(self._parts, None)
        if part is None:
            return None
        self.num_images += len(part)
        return {self._name: part}
