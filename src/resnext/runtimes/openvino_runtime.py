"""OpenVINO's files, .xml beside .bin, in OpenVINO's runtime."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import openvino

from resnext.foreign_file import check_regular, one_error
from resnext.runtimes.exported import Array, Opened
from resnext.runtimes.openvino_check import MAX_XML_BYTES, check_graph, check_text
from resnext.runtimes.seal import check_seal
from resnext.runtimes.spec import KEY, read_description
from resnext.untrusted.parse import read_bytes


def open_file(path: Path, threads: int | None) -> Opened:
    """Open a file; see `onnx_runtime.open_file`.

    Raises:
        CheckpointError: It is damaged, the runtime cannot load it, or `resnext export` did not
            write it.
    """
    settings = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    if threads is not None:
        settings["INFERENCE_NUM_THREADS"] = str(threads)
    bin_file = path.with_suffix(".bin")
    remedy = f"both {path.name} and {bin_file.name} must be there, whole"
    with one_error(path, "OpenVINO cannot load it", remedy):
        content = read_bytes(path, MAX_XML_BYTES)
        description = read_description(path, _description(content))
        check_regular(bin_file)
        weights = bin_file.read_bytes()
        check_graph(path, content, len(weights))
        check_seal(path, content, description.checksum, [weights])
        network = openvino.Core().read_model(content, weights)
        compiled = openvino.compile_model(network, "CPU", settings)

    def infer(batch: Array) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        # an inference request of its own: several threads may call at once
        result = compiled.create_infer_request().infer({0: batch})
        return np.asarray(result[0], np.float32)

    return Opened(description, infer)


def _description(content: bytes) -> str | None:
    check_text(content)
    found = ElementTree.fromstring(content).find(f"./rt_info/{KEY}")
    return None if found is None else found.get("value")
