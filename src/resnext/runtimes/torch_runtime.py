"""PyTorch's own formats: exported programs, .pt2, and TorchScript."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch

from resnext.errors import CheckpointError
from resnext.runtimes.exported import Array, Infer
from resnext.runtimes.pt2_check import check_archive
from resnext.runtimes.spec import KEY

_DAMAGED = (RuntimeError, ValueError, KeyError, OSError, AssertionError, zipfile.BadZipFile)


def open_file(path: Path, threads: int | None) -> tuple[str | None, Infer]:
    """Open a file; see `onnx_runtime.open_file`.

    Raises:
        CheckpointError: It is not whole, not of this kind, or could run code of its own (.pt2).
    """
    assert threads is None
    if not zipfile.is_zipfile(path):
        raise CheckpointError(f"{path}: is no file of PyTorch, or cut off; export it again")
    try:
        module, text = _load_program(path) if path.suffix == ".pt2" else _load_script(path)
    except _DAMAGED as error:
        reason = str(error).partition("\n")[0]
        raise CheckpointError(
            f"{path}: torch {torch.__version__} cannot load it ({reason}); export it again"
        ) from None

    @torch.inference_mode()
    def infer(batch: Array) -> Array:
        logits_bk: Array = module(torch.from_numpy(batch)).numpy()
        return logits_bk

    return text or None, infer


def _load_program(path: Path) -> tuple[Any, str]:
    check_archive(path)
    extra = {KEY: ""}
    module = torch.export.load(path, extra_files=extra).module()
    return module, extra[KEY]


def _load_script(path: Path) -> tuple[Any, str]:
    extra: dict[str, Any] = {KEY: b""}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit", FutureWarning)
        load: Any = torch.jit.load
        module = load(str(path), "cpu", extra)
    return module, bytes(extra[KEY]).decode()
