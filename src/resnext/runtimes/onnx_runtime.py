"""ONNX files in ONNX Runtime."""

from __future__ import annotations

import mmap
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from resnext.foreign_file import one_error
from resnext.runtimes.exported import Array, Opened
from resnext.runtimes.onnx_check import check_model
from resnext.runtimes.onnx_session import open_session
from resnext.runtimes.seal import check_seal
from resnext.runtimes.spec import KEY, read_description


def open_file(path: Path, threads: int | None) -> Opened:
    """Open a file.

    Args:
        path: The file.
        threads: Of one inference; by default as many as cores.

    Returns:
        Its description, and the function from a batch to its logits.

    Raises:
        CheckpointError: It is damaged, the runtime cannot load it, or `resnext export` did not
            write it.
    """
    version = onnxruntime.__version__
    remedy = "the file is damaged or too new: export it again, or with a lower --opset"
    with one_error(path, f"ONNX Runtime {version} cannot load it", remedy):
        content = path.read_bytes()
        model = onnx.load_model_from_string(content)
        texts = {entry.key: entry.value for entry in model.metadata_props}
        description = read_description(path, texts.get(KEY))
        beside = check_model(path, model)
        del model
        _check_seal(path, content, description.checksum, beside)
        # By its name only where weights lie beside it, so that what was checked is what is opened.
        session = open_session(path if beside else content, threads)
        name, output = session.get_inputs()[0].name, [session.get_outputs()[0].name]

    def infer(batch: Array) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        logits_bk: np.ndarray[tuple[int, ...], np.dtype[np.float32]] = session.run(
            output, {name: batch}
        )[0]
        return logits_bk

    return Opened(description, infer)


def _check_seal(path: Path, content: bytes, checksum: str, beside: tuple[Path, ...]) -> None:
    if not beside:
        check_seal(path, content, checksum)
        return
    with (
        beside[0].open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
        memoryview(data) as view,
    ):
        check_seal(path, content, checksum, [view])
