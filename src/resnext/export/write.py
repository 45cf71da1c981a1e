"""Writes a traced network in each format, including its description.

Each writer gets the network, an example of its input, the path and the spec.
"""

from __future__ import annotations

import io
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import nn

from resnext.export.staging import saving
from resnext.export.write_onnx import dynamic_axes, save_onnx, trace_onnx
from resnext.runtimes.openvino_import import import_openvino
from resnext.runtimes.seal import seal
from resnext.runtimes.spec import KEY, ExportSpec, Format

Writer = Callable[[nn.Module, torch.Tensor, Path, ExportSpec, str], None]


def write_onnx(
    graph: nn.Module, example: torch.Tensor, path: Path, spec: ExportSpec, description: str
) -> None:
    """Write an ONNX file."""
    save_onnx(trace_onnx(graph, example, spec), path, description)


def write_openvino(
    graph: nn.Module, example: torch.Tensor, path: Path, spec: ExportSpec, description: str
) -> None:
    """Write OpenVINO's pair of files via ONNX, with weights in full precision."""
    save_openvino(trace_onnx(graph, example, spec), path, description)


def save_openvino(
    model: onnx.ModelProto,
    path: Path,
    description: str,
    change: Callable[[Any], None] | None = None,
) -> None:
    """Convert an ONNX model and write OpenVINO's pair of files.

    Args:
        model: See `save_onnx`.
        path: The .xml file.
        description: See `describe`.
        change: Changes the converted model.
    """
    openvino = import_openvino()
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:  # removed with the staging folder
        onnx_file = Path(folder) / "network.onnx"
        save_onnx(model, onnx_file, description)
        network = openvino.convert_model(onnx_file)
        if change is not None:
            change(network)
        network.set_rt_info(description, KEY)
        with saving(path):
            openvino.save_model(network, path, compress_to_fp16=False)
        seal(path, [path.with_suffix(".bin")])


def write_pt2(
    graph: nn.Module, example: torch.Tensor, path: Path, spec: ExportSpec, description: str
) -> None:
    """Write a PyTorch exported program."""
    axes = dict.fromkeys(dynamic_axes(spec, example.ndim), torch.export.Dim.DYNAMIC)
    program = torch.export.export(graph, (example,), dynamic_shapes=(axes,))
    buffer = io.BytesIO()  # with a path, torch ends the process if the disk is full
    torch.export.save(program, buffer, extra_files={KEY: description})
    path.write_bytes(buffer.getbuffer())


def write_torchscript(
    graph: nn.Module, example: torch.Tensor, path: Path, _spec: ExportSpec, description: str
) -> None:
    """Write a TorchScript file, for programs that read no other format.

    A trace fixes the sizes of its example only where Python computes with them; networks do
    not, so any size is accepted. PyTorch has deprecated the format.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit", FutureWarning)
        warnings.filterwarnings("ignore", category=torch.jit._trace.TracerWarning)
        script = torch.jit.freeze(torch.jit.trace(graph, example))  # type: ignore[no-untyped-call]  # torch carries no type
        buffer = io.BytesIO()  # as in `write_pt2`
        torch.jit.save(script, buffer, _extra_files={KEY: description})
    path.write_bytes(buffer.getbuffer())


WRITERS: dict[Format, Writer] = {
    "onnx": write_onnx,
    "openvino": write_openvino,
    "pt2": write_pt2,
    "torchscript": write_torchscript,
}
