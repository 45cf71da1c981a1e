"""Writes a network as ONNX operators."""

from __future__ import annotations

import contextlib
import io
import logging
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import nn

from resnext.export.portable import make_portable
from resnext.runtimes.seal import seal
from resnext.runtimes.spec import FLOAT_INPUTS, KEY, ExportSpec, Input

_MAX_IN_ONE_FILE = 2_000_000_000  # bytes; the limit of a protobuf message
_INPUT_NAMES: dict[Input, str] = {
    "pixels": "pixels",
    "image": "pixels",
    "values": "values",
    "normalised": "images",
}


def trace_onnx(graph: nn.Module, example: torch.Tensor, spec: ExportSpec) -> onnx.ModelProto:
    """Write a network as an ONNX model.

    Args:
        graph: The network, in evaluation mode.
        example: A batch of its input.
        spec: The input of the graph.
    """
    model: onnx.ModelProto = trace(
        graph,
        example,
        opset_version=spec.opset,
        input_names=[_INPUT_NAMES[spec.input]],
        output_names=["logits"],
        dynamic_shapes=(dynamic_axes(spec, example.ndim),),
    ).model_proto
    model.producer_name, model.producer_version = "resnext", spec.written_by
    return model


def trace(graph: nn.Module, *example: torch.Tensor, **options: Any) -> torch.onnx.ONNXProgram:
    """Trace a network with torch's exporter, without its progress output.

    Args:
        graph: The network, in evaluation mode.
        example: A batch of each of its inputs.
        options: Options of `torch.onnx.export`; without any, the batch size is fixed.
    """
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)  # errors are raised anyway
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            program = torch.onnx.export(graph, example, dynamo=True, verbose=False, **options)
    finally:
        logger.setLevel(level)
    assert program is not None
    return program


def save_onnx(model: onnx.ModelProto, path: Path, description: str) -> None:
    """Write a model with its description in the metadata.

    Args:
        model: The model; it is changed.
        path: The file. Weights over 2 GB go to a second file, NAME.data.
        description: See `resnext.runtimes.spec`.
    """
    kept = {entry.key: entry.value for entry in model.metadata_props} | {KEY: description}
    onnx.helper.set_model_props(model, kept)
    make_portable(model)
    large = model.ByteSize() > _MAX_IN_ONE_FILE
    options: dict[str, Any] = {"location": f"{path.name}.data"} if large else {}
    onnx.save_model(model, path, save_as_external_data=large, **options)
    seal(path, [path.with_name(f"{path.name}.data")] if large else [])


def dynamic_axes(spec: ExportSpec, rank: int) -> dict[int, Any]:
    """Return the input axes of variable length, with their names."""
    if spec.input == "image":
        return {1: "height", 2: "width"}
    axes: dict[int, Any] = {0: "batch"}
    if spec.dynamic_size:
        names = ("height", "width") if rank == 4 else ("depth", "height", "width")[: rank - 2]
        first = 2 if spec.input in FLOAT_INPUTS else 1
        axes |= dict(enumerate(names, first))
    return axes
