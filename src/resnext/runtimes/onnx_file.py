"""Reads and checks an ONNX file before a runtime opens it."""

from __future__ import annotations

import mmap
from pathlib import Path

import onnx

from resnext.runtimes.onnx_check import check_model
from resnext.runtimes.seal import check_seal
from resnext.runtimes.spec import KEY, Description, read_description


def read_onnx(path: Path) -> tuple[Description, bytes | Path]:
    """Read and check a file.

    Args:
        path: The file.

    Returns:
        Its description, and what a runtime should open: the checked bytes, or the path if weights
        are in a separate file.

    Raises:
        CheckpointError: It was damaged or edited, or `resnext export` did not write it.
    """
    content = path.read_bytes()
    model = onnx.load_model_from_string(content)
    texts = {entry.key: entry.value for entry in model.metadata_props}
    description = read_description(path, texts.get(KEY))
    beside = check_model(path, model, description.config)
    _check_seal(path, content, description.checksum, beside)
    return description, path if beside else content


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
