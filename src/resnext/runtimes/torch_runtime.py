"""PyTorch's own formats: exported programs, .pt2, and TorchScript."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch

from resnext.errors import ConfigError
from resnext.foreign_file import check_archive, one_error
from resnext.runtimes.exported import Array, Opened
from resnext.runtimes.pt2_check import check_program
from resnext.runtimes.spec import KEY, read_description
from resnext.runtimes.torchscript_check import check_script

_GUARD = "Guard failed: "  # how torch refuses sides that the program was not traced for

MAX_CODE_BYTES = 64 * 2**20
"""TorchScript's code is compressed; that of 10,000 layers needs about 2 MiB."""


def open_file(path: Path, threads: int | None) -> Opened:
    """Open a file; see `onnx_runtime.open_file`.

    Raises:
        CheckpointError: It is incomplete, of another kind, or not written by `resnext export`.
    """
    assert threads is None
    check_archive(path, max_packed_bytes=MAX_CODE_BYTES)
    with one_error(path, f"torch {torch.__version__} cannot load it", "export it again"):
        module, text = _load_program(path) if path.suffix == ".pt2" else _load_script(path)
    description = read_description(path, text or None)

    @torch.inference_mode()
    def infer(batch: Array) -> Array:
        try:
            logits_bk: Array = module(torch.from_numpy(batch)).numpy()
        except AssertionError as error:
            _, is_guard, condition = str(error).partition(_GUARD)
            if not is_guard:
                raise
            raise ConfigError(
                f"{path}: takes no images of {' x '.join(map(str, batch.shape))}, since torch "
                f"exported it for {condition}; give larger ones, or export the network to onnx"
            ) from None
        return logits_bk

    return Opened(description, infer)


def _load_program(path: Path) -> tuple[Any, str]:
    check_program(path)
    extra = {KEY: ""}
    module = torch.export.load(path, extra_files=extra).module()
    return module, extra[KEY]


def _load_script(path: Path) -> tuple[Any, str]:
    check_script(path)
    extra: dict[str, Any] = {KEY: b""}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit", FutureWarning)
        load: Any = torch.jit.load
        module = load(str(path), "cpu", extra)
    return module, bytes(extra[KEY]).decode()
