"""ONNX files in ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime

from resnext.errors import CheckpointError
from resnext.runtimes.exported import Array, Infer
from resnext.runtimes.spec import KEY

# Raised by the runtime for a file that is torn, foreign or too new.
_ERRORS = tuple(
    getattr(onnxruntime.capi.onnxruntime_pybind11_state, name)
    for name in ("InvalidProtobuf", "InvalidGraph", "InvalidArgument", "Fail", "NotImplemented",
                 "NoSuchFile", "RuntimeException", "ModelLoaded", "EPFail")
)  # fmt: skip


def open_file(path: Path, threads: int | None) -> tuple[str | None, Infer]:
    """Open a file.

    Args:
        path: The file.
        threads: Of one inference; by default as many as cores.

    Returns:
        Its description, and the function from a batch to its logits.

    Raises:
        CheckpointError: The runtime cannot load it.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if threads is not None:
        options.intra_op_num_threads = threads
    try:
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
    except _ERRORS as error:
        reason = str(error).partition("\n")[0]
        raise CheckpointError(
            f"{path}: ONNX Runtime {onnxruntime.__version__} cannot load it ({reason}); the file "
            "is damaged or too new: export it again, or with a lower --opset"
        ) from None
    name, output = session.get_inputs()[0].name, [session.get_outputs()[0].name]

    def infer(batch: Array) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        logits_bk: np.ndarray[tuple[int, ...], np.dtype[np.float32]] = session.run(
            output, {name: batch}
        )[0]
        return logits_bk

    return session.get_modelmeta().custom_metadata_map.get(KEY), infer
