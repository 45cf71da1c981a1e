"""OpenVINO files (.xml and .bin) and ONNX files in OpenVINO."""

from __future__ import annotations

import functools
import io
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from resnext.errors import ConfigError
from resnext.foreign_file import check_regular, one_error
from resnext.machine import cpu_name
from resnext.model.config import DetectorConfig
from resnext.runtimes.exported import Array, Opened
from resnext.runtimes.openvino_check import MAX_XML_BYTES, check_graph, check_text
from resnext.runtimes.openvino_import import import_openvino
from resnext.runtimes.openvino_sides import SIDES_INPUT, resized_sides
from resnext.runtimes.seal import check_seal
from resnext.runtimes.spec import KEY, Arithmetic, Description, Precision, read_description
from resnext.untrusted.parse import read_bytes

_openvino = import_openvino()  # here, so that a missing package is reported before a file is read

_HINTS: dict[Precision, str] = {"fp32": "f32", "bf16": "bf16", "int8": "f32"}
"""int8 is part of the graph; the rest of such a graph is computed in fp32."""


def open_file(path: Path, threads: int | None, precision: Arithmetic | None = None) -> Opened:
    """Open a file.

    Args:
        path: The file, .xml or .onnx.
        threads: CPU threads of one inference; by default the number of cores.
        precision: Precision of the computation; by default that of the file's description.

    Returns:
        Its description, with that precision, and the function from a batch to its logits.

    Raises:
        CheckpointError: It is damaged, the runtime cannot load it, or `resnext export` did not
            write it.
        ConfigError: The processor does not support this precision.
    """
    bin_file = path.with_suffix(".bin")
    remedy = f"both {path.name} and {bin_file.name} must exist and be complete"
    if path.suffix == ".onnx":
        remedy = "the file is damaged or too new: export it again, or with a lower --opset"
    with one_error(path, "OpenVINO cannot load it", remedy):
        description, graph = _read(path)
        spec, core = description.spec, _core()
        if precision is not None and spec.precision != "int8":
            spec = spec.replace(precision=precision)
        if spec.precision == "bf16":
            check_bf16(path)
        settings = {
            "INFERENCE_PRECISION_HINT": _HINTS[spec.precision],
            "PERFORMANCE_HINT": "LATENCY",
        }
        if threads is not None:
            settings["INFERENCE_NUM_THREADS"] = str(threads)
        compiled = core.compile_model(core.read_model(*graph), "CPU", settings)
    config = description.config

    def infer(batch: Array) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        inputs: dict[int | str, Array] = {0: batch}
        if isinstance(config, DetectorConfig):
            inputs[SIDES_INPUT] = resized_sides(config, *batch.shape[1:3])
        # a separate inference request: several threads may call at once
        result = compiled.create_infer_request().infer(inputs)
        return np.asarray(result[0], np.float32)

    return Opened(description._replace(spec=spec), infer)


@functools.cache
def _core() -> Any:
    """Return the shared core of this process; OpenVINO unloads its plugin with the last core.

    A signal arriving after that caused a segmentation fault.
    """
    return _openvino.Core()


def has_bf16(core: Any) -> bool:
    """Return whether this processor has bf16 instructions; otherwise OpenVINO emulates bf16."""
    return "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def check_bf16(path: Path) -> None:
    """Check that this processor computes in bf16.

    Raises:
        ConfigError: It does not; the message names the file.
    """
    if not has_bf16(_core()):
        raise ConfigError(
            f"{path}: cannot run in bf16 here: {cpu_name()} lacks avx512_bf16 and amx_bf16; use "
            "fp32 (--precision fp32)"
        )


def _read(path: Path) -> tuple[Description, tuple[Any, ...]]:
    """Read and check a graph before OpenVINO sees it."""
    if path.suffix == ".onnx":
        from resnext.runtimes.onnx_file import read_onnx

        description, source = read_onnx(path)
        return description, (io.BytesIO(source) if isinstance(source, bytes) else source,)
    bin_file = path.with_suffix(".bin")
    content = read_bytes(path, MAX_XML_BYTES)
    description = read_description(path, _description(content))
    check_regular(bin_file)
    weights = bin_file.read_bytes()
    check_graph(path, content, len(weights), description.config)
    check_seal(path, content, description.checksum, [weights])
    return description, (content, weights)


def _description(content: bytes) -> str | None:
    check_text(content)
    found = ElementTree.fromstring(content).find(f"./rt_info/{KEY}")
    return None if found is None else found.get("value")
