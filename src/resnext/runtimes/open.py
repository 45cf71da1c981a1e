"""From an exported file to a network that predicts, by the kind of file."""

from __future__ import annotations

import importlib
from pathlib import Path

from resnext.errors import ConfigError
from resnext.extras import needed_by
from resnext.foreign_file import check_regular
from resnext.runtimes.exported import Exported, Opened
from resnext.runtimes.spec import Format

SUFFIXES: dict[str, Format] = {
    ".onnx": "onnx",
    ".pt2": "pt2",
    ".xml": "openvino",
    ".torchscript": "torchscript",
}
"""How exported files are told from weight files."""

_HOMES = {
    "onnx": "resnext.runtimes.onnx_runtime",
    "openvino": "resnext.runtimes.openvino_runtime",
    "pt2": "resnext.runtimes.torch_runtime",
    "torchscript": "resnext.runtimes.torch_runtime",
}


def is_exported(path: Path) -> bool:
    """Tell by its name whether a file is an exported network."""
    return path.suffix in SUFFIXES


def open_exported(path: Path, *, threads: int | None = None) -> Exported:
    """Open a file that `resnext export` wrote, in the runtime it is for, on the CPU.

    Args:
        path: The file: .onnx, .xml (OpenVINO), .pt2 or .torchscript.
        threads: CPU threads of ONNX Runtime or OpenVINO; the runtime's own number by default.
            PyTorch's formats use those of torch.

    Raises:
        CheckpointError: It is missing, damaged, or not of `resnext export`.
        ConfigError: Its runtime is not installed, or has no threads of its own.
    """
    path = Path(path)
    if not is_exported(path):
        raise ConfigError(
            f"{path}: exported files end in {', '.join(SUFFIXES)}; make one with `resnext export`"
        )
    check_regular(path)
    kind = SUFFIXES[path.suffix]
    if threads is not None and kind in ("pt2", "torchscript"):
        raise ConfigError(
            f"threads={threads}: {path.suffix} computes with torch's threads; set OMP_NUM_THREADS "
            "before the start, or call torch.set_num_threads"
        )
    with needed_by(kind):
        runtime = importlib.import_module(_HOMES[kind])
    opened: Opened = runtime.open_file(path, threads)
    config, card, spec, _ = opened.description
    return Exported(path, config, card, spec, opened.infer)
