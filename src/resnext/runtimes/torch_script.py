"""TorchScript files."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch

from resnext.errors import CheckpointError
from resnext.runtimes.exported import Array, Infer
from resnext.runtimes.spec import KEY


def open_file(path: Path, threads: int | None) -> tuple[str | None, Infer]:
    """Open a file; see `onnx_runtime.open_file`.

    Raises:
        CheckpointError: It is not a whole TorchScript file.
    """
    assert threads is None
    extra: dict[str, Any] = {KEY: b""}
    if not zipfile.is_zipfile(path):
        raise CheckpointError(f"{path}: is no TorchScript file, or cut off; export it again")
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "`torch.jit", FutureWarning)
            load: Any = torch.jit.load
            module = load(str(path), "cpu", extra)
    except (RuntimeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise CheckpointError(
            f"{path}: torch {torch.__version__} cannot load it ({reason}); export it again"
        ) from None

    @torch.inference_mode()
    def infer(batch: Array) -> Array:
        logits_bk: Array = module(torch.from_numpy(batch)).numpy()
        return logits_bk

    return bytes(extra[KEY]).decode() or None, infer
