"""OpenVINO's files, .xml beside .bin, in OpenVINO's runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino

from resnext.errors import CheckpointError
from resnext.runtimes.exported import Array, Infer
from resnext.runtimes.spec import KEY


def open_file(path: Path, threads: int | None) -> tuple[str | None, Infer]:
    """Open a file; see `onnx_runtime.open_file`.

    Raises:
        CheckpointError: The runtime cannot load it.
    """
    settings = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    if threads is not None:
        settings["INFERENCE_NUM_THREADS"] = str(threads)
    try:
        network = openvino.Core().read_model(path)
        compiled = openvino.compile_model(network, "CPU", settings)
    except RuntimeError as error:
        reason = str(error).strip().rpartition("\n")[2]
        raise CheckpointError(
            f"{path}: OpenVINO cannot load it ({reason}); both {path.name} and "
            f"{path.with_suffix('.bin').name} must be there, whole"
        ) from None
    text = network.get_rt_info(KEY).astype(str) if network.has_rt_info(KEY) else None

    def infer(batch: Array) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        # an inference request of its own: several threads may call at once
        result = compiled.create_infer_request().infer({0: batch})
        return np.asarray(result[0], np.float32)

    return text, infer
