"""ONNX files in ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime

from resnext.foreign_file import one_error
from resnext.runtimes.exported import Array, Opened
from resnext.runtimes.onnx_file import read_onnx
from resnext.runtimes.onnx_session import open_session


def open_file(path: Path, threads: int | None) -> Opened:
    """Open a file.

    Args:
        path: The file.
        threads: CPU threads of one inference; by default the number of cores.

    Returns:
        Its description, and the function from a batch to its logits.

    Raises:
        CheckpointError: It is damaged, the runtime cannot load it, or `resnext export` did not
            write it.
    """
    version = onnxruntime.__version__
    remedy = "the file is damaged or too new: export it again, or with a lower --opset"
    with one_error(path, f"ONNX Runtime {version} cannot load it", remedy):
        description, source = read_onnx(path)
        session = open_session(source, threads)
        name, output = session.get_inputs()[0].name, [session.get_outputs()[0].name]

    def infer(batch: Array) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        logits_bk: np.ndarray[tuple[int, ...], np.dtype[np.float32]] = session.run(
            output, {name: batch}
        )[0]
        return logits_bk

    return Opened(description, infer)
