"""PyTorch's exported programs, .pt2."""

from __future__ import annotations

import zipfile
from pathlib import Path

import torch

from resnext.errors import CheckpointError
from resnext.runtimes.exported import Array, Infer
from resnext.runtimes.spec import KEY


def open_file(path: Path, threads: int | None) -> tuple[str | None, Infer]:
    """Open a file; see `onnx_runtime.open_file`.

    Raises:
        CheckpointError: It is not a whole program.
    """
    assert threads is None
    extra = {KEY: ""}
    if not zipfile.is_zipfile(path):
        raise CheckpointError(f"{path}: is no PyTorch program, or cut off; export it again")
    try:
        module = torch.export.load(path, extra_files=extra).module()
    except (RuntimeError, ValueError, KeyError, OSError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        raise CheckpointError(
            f"{path}: torch {torch.__version__} cannot load it ({reason}); export it again"
        ) from None

    @torch.inference_mode()
    def infer(batch: Array) -> Array:
        logits_bk: Array = module(torch.from_numpy(batch)).numpy()
        return logits_bk

    return extra[KEY] or None, infer
