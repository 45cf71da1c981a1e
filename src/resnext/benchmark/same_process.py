"""Prepares an inference of a network with random weights for timing in this process."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from resnext.benchmark.device import DTYPES, find_device
from resnext.benchmark.gpu_session import open_on_gpu
from resnext.benchmark.networks import random_network
from resnext.benchmark.staging import write_normalised
from resnext.errors import ConfigError
from resnext.extras import advice
from resnext.model.config import ModelConfig, ResNeXtConfig
from resnext.model.trained import TrainedNetwork

if TYPE_CHECKING:
    from resnext.benchmark.latency import LatencySetup

_PACKAGES = {
    "eager": ("torch",),
    "compiled": ("torch",),
    "onnxruntime": ("torch", "onnx", "onnxscript", "onnxruntime"),
}
_MAX_COMPILED = 256  # networks in one process; torch's own limit over all is the same


def runtime_version(runtime: str) -> str:
    """Return the versions that affect a runtime's speed.

    Raises:
        ConfigError: The runtime is unknown, or one of its packages is not installed.
    """
    if runtime not in _PACKAGES:
        raise ConfigError(f"runtime={runtime!r}: accepted are {', '.join(_PACKAGES)}")
    try:
        versions = [f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES[runtime]]
    except importlib.metadata.PackageNotFoundError as error:
        raise ConfigError(f"runtime={runtime!r} needs {advice(error.name)}") from None
    return ", ".join(versions)


def prepare_inference(config: ModelConfig, setup: LatencySetup) -> Callable[[], Any]:
    """Return a function that runs a network once on one batch.

    Args:
        config: The network.
        setup: Runtime, size (which must be given), batch, threads, device, precision.
    """
    ndim = config.ndim if isinstance(config, ResNeXtConfig) else 2
    assert setup.input_size is not None
    loaded = random_network(config, setup.input_size)
    images = torch.zeros(setup.batch_size, config.in_channels, *(setup.input_size,) * ndim)
    images.normal_(generator=torch.Generator().manual_seed(0))
    if setup.runtime == "onnxruntime":
        return _exported(loaded, images, setup)
    place: dict[str, Any] = {
        "device": find_device(setup.device),
        "dtype": DTYPES[setup.precision],
    }
    model, images = loaded.module.to(**place), images.to(**place)
    if ndim == 2:
        model = model.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    return _compiled(model, images) if setup.runtime == "compiled" else _eager(model, images)


@contextmanager
def threads_of_torch(number: int) -> Iterator[None]:
    """Set torch's CPU threads within a context."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _eager(model: Callable[[torch.Tensor], Any], images: torch.Tensor) -> Callable[[], Any]:
    @torch.inference_mode()
    def infer() -> None:
        model(images)

    return infer


def _compiled(model: nn.Module, images: torch.Tensor) -> Callable[[], Any]:
    """Compile immediately, and fail rather than fall back to eager mode.

    After eight networks torch runs further ones of the same class eagerly, with only a line on
    stderr; `fullgraph` makes that an error, and the higher limit avoids it.
    """
    from torch._dynamo import config as dynamo

    infer = _eager(torch.compile(model, fullgraph=True, dynamic=False), images)
    with dynamo.patch(recompile_limit=_MAX_COMPILED):
        infer()
    return infer


def _exported(
    loaded: TrainedNetwork, images: torch.Tensor, setup: LatencySetup
) -> Callable[[], Any]:
    """Run the file that `resnext export` would write, in ONNX Runtime."""
    from resnext.runtimes.onnx_session import open_session

    with TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        write_normalised(loaded, path, "onnx")
        if setup.device != "cpu":
            index = find_device(setup.device).index or 0
            return open_on_gpu(path, "onnxruntime", images.numpy(), index=index)
        session = open_session(path, setup.threads, spins=False)
    feed = {session.get_inputs()[0].name: images.numpy()}
    return lambda: session.run(None, feed)
