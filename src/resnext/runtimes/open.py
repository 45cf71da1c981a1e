"""Opens exported files by format."""

from __future__ import annotations

import importlib
from pathlib import Path

from resnext.errors import ConfigError
from resnext.extras import needed_by
from resnext.foreign_file import check_regular
from resnext.model.config import DetectorConfig
from resnext.runtimes.exported import Exported, Opened
from resnext.runtimes.spec import RUNTIME_OF, Arithmetic, Format, RuntimeName

SUFFIXES: dict[str, Format] = {
    ".onnx": "onnx",
    ".pt2": "pt2",
    ".xml": "openvino",
    ".torchscript": "torchscript",
}
"""Suffixes of exported files."""

_HOMES: dict[RuntimeName, str] = {
    "onnxruntime": "resnext.runtimes.onnx_runtime",
    "openvino": "resnext.runtimes.openvino_runtime",
    "torch": "resnext.runtimes.torch_runtime",
}


def is_exported(path: Path) -> bool:
    """Return whether a file is an exported network, by its suffix."""
    return path.suffix in SUFFIXES


def open_exported(
    path: Path,
    *,
    threads: int | None = None,
    runtime: RuntimeName | None = None,
    precision: Arithmetic | None = None,
) -> Exported:
    """Open a file that `resnext export` wrote, on the CPU.

    Args:
        path: The file: .onnx, .xml (OpenVINO), .pt2 or .torchscript.
        threads: CPU threads of ONNX Runtime or OpenVINO; by default the runtime's own number.
            PyTorch's formats use torch's threads.
        runtime: The runtime; by default that of the format. OpenVINO also opens ONNX files.
        precision: fp32, or bf16 (OpenVINO only); by default the precision it was exported for. The
            precision of an int8 file is fixed.

    Raises:
        CheckpointError: It is missing, damaged, or not written by `resnext export`.
        ConfigError: Its runtime is not installed, has no thread setting, or does not support this
            precision.
    """
    path = Path(path)
    if not is_exported(path):
        raise ConfigError(
            f"{path}: exported files end in {', '.join(SUFFIXES)}; make one with `resnext export`"
        )
    check_regular(path)
    kind = SUFFIXES[path.suffix]
    name = _runtime_for(path, kind, runtime, precision)
    if threads is not None and name == "torch":
        raise ConfigError(
            f"threads={threads}: {path.suffix} uses torch's threads; set OMP_NUM_THREADS before "
            "starting, or call torch.set_num_threads"
        )
    with needed_by(f"opening {path} in {name}"):
        home = importlib.import_module(_HOMES[name])
        asked = {"precision": precision} if name == "openvino" else {}
        opened: Opened = home.open_file(path, threads, **asked)
    config, card, spec, _ = opened.description
    if precision not in (None, spec.precision):
        raise ConfigError(
            f"precision={precision!r}: {path} was exported in {spec.precision}, which is part of "
            "its graph; leave out the precision, or export the network again"
        )
    if isinstance(config, DetectorConfig) and (
        name != RUNTIME_OF[kind] or spec.precision == "bf16"
    ):
        raise ConfigError(
            f"{path}: holds a detector, which {RUNTIME_OF[kind]} computes in fp32 as PyTorch does; "
            "leave out the runtime and the precision, or export it for OpenVINO: resnext export "
            "RUN --to openvino"
        )
    if spec.precision == "bf16" and name != "openvino":
        raise ConfigError(
            f"{path}: was exported for bf16, which only OpenVINO supports; export it again"
        )
    return Exported(path, config, card, spec, opened.infer, name)


def _runtime_for(
    path: Path, kind: Format, runtime: RuntimeName | None, precision: Arithmetic | None
) -> RuntimeName:
    """Choose the runtime, and check that it supports the file and precision."""
    usual = RUNTIME_OF[kind]
    if runtime is None:
        runtime = "openvino" if (kind, precision) == ("onnx", "bf16") else usual
    if runtime != usual and (kind, runtime) != ("onnx", "openvino"):
        raise ConfigError(
            f"runtime={runtime!r}: {path} is opened by {usual}; leave out the runtime, or export "
            "the network to ONNX, which ONNX Runtime and OpenVINO open"
        )
    if precision == "bf16" and runtime != "openvino":
        raise ConfigError(
            f"precision='bf16': {runtime} runs {path} in fp32 only; for bf16 export the network "
            "to ONNX or OpenVINO, or leave out the precision"
        )
    return runtime
