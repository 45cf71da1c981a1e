"""The files that contestants run from, written before the race.

All runtimes of a network get the same weights, so that their outputs can be compared. Exporting
takes memory and time that are not part of inference, so it is not done in the measured processes.
"""

from __future__ import annotations

from pathlib import Path

import torch

from resnext.benchmark.contestant import PEERS, Job, Plan, Setting, check_runtime
from resnext.benchmark.networks import Network
from resnext.errors import ConfigError
from resnext.export.export import check_format, spec_of, write_file
from resnext.export.network import at_size
from resnext.export.options import ExportOptions
from resnext.extras import needed_by
from resnext.model.trained import TrainedNetwork
from resnext.runtimes.spec import Format
from resnext.weights.own_file import save_weights

_CHANNELS_LAST = ("channels_last", "fused", "compiled", "cudagraphs")

_FORMATS: dict[str, tuple[Format, str]] = {
    "onnxruntime": ("onnx", ".onnx"),
    "tensorrt": ("onnx", ".onnx"),
    "openvino": ("openvino", ".xml"),
    "openvino-bf16": ("openvino", ".xml"),
    "torchscript": ("torchscript", ".torchscript"),
}


def stage(network: Network, runtime: str, setting: Setting, folder: Path, plan: Plan) -> Job:
    """Write the file of a contestant, unless an earlier race already wrote it.

    Args:
        network: The network.
        runtime: The runtime.
        setting: The race.
        folder: Folder for the files of this network.
        plan: Provides device and precision.

    Raises:
        ConfigError: The runtime does not support the network, or a package is missing.
        ExportError: It cannot be exported.
    """
    is_on_gpu = plan.device.startswith("cuda")
    check_runtime(runtime, is_on_gpu=is_on_gpu, precision=plan.precision)
    name = network.name_in_libraries() or ""
    if runtime in PEERS and not name:
        raise ConfigError(f"{runtime} has no network of this architecture")
    path = _file(network, runtime, setting, folder)
    return Job(
        runtime=runtime,
        path=str(path) if path else "",
        name=name,
        num_classes=network.config.num_classes,
        shape=network.shape,
        batch=setting.batch,
        threads=setting.threads,
        device=plan.device,
        precision=plan.precision,
    )


def _file(network: Network, runtime: str, setting: Setting, folder: Path) -> Path | None:
    if network.exported is not None:
        return network.exported.path
    if runtime in PEERS:
        return None
    assert network.loaded is not None
    folder.mkdir(parents=True, exist_ok=True)
    if runtime in _CHANNELS_LAST and len(network.shape) != 3:
        raise ConfigError(f"{runtime}: that layout only supports 2D images")
    if runtime == "onnx-plain":
        path = folder / f"plain-{setting.batch}.onnx"
        if not path.exists():
            _export_plain(network.loaded, (setting.batch, *network.shape), path)
        return path
    if runtime not in _FORMATS:
        path = folder / "weights.safetensors"
        if not path.exists():
            save_weights(path, network.loaded.module, network.loaded.config, network.loaded.card)
        return path
    kind, suffix = _FORMATS[runtime]
    path = folder / f"network{suffix}"
    if not path.exists():
        write_normalised(at_size(network.loaded, network.size_px), path, kind)
    return path


def write_normalised(loaded: TrainedNetwork, path: Path, kind: Format) -> None:
    """Write the file that `resnext export --input normalised` writes."""
    check_format(loaded.config, kind)
    options = ExportOptions(to=kind, input="normalised", size_px=loaded.card.image_size_px)
    write_file(loaded, path, spec_of(loaded, options))


def _export_plain(loaded: TrainedNetwork, shape: tuple[int, ...], path: Path) -> None:
    """Export with torch's defaults: fixed batch size, nothing rewritten."""
    with needed_by("the runtime onnx-plain"):
        from resnext.export.write_onnx import trace
    trace(loaded.module, torch.zeros(shape)).save(path)
