"""An inference of a network with random weights, ready to be timed, on each runtime."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from resnext.errors import ConfigError
from resnext.extras import advice
from resnext.model.config import ModelConfig, ResNeXtConfig

if TYPE_CHECKING:
    import torch
    from torch import nn

    from resnext.complexity.latency import LatencySetup

_PACKAGES = {
    "eager": ("torch",),
    "compiled": ("torch",),
    "onnxruntime": ("torch", "onnx", "onnxscript", "onnxruntime"),
}
_MOST_COMPILED = 256  # networks in one process; torch's own limit over all is the same


def runtime_version(runtime: str) -> str:
    """Return the versions that decide a runtime's speed.

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
    """Return an action that runs a network once on one batch, on the CPU in fp32.

    Args:
        config: The network.
        setup: Runtime, size (which must be given), batch, threads.
    """
    import torch

    from resnext.model.create import create_model

    with torch.random.fork_rng(devices=[]):  # a measurement leaves the caller's draws alone
        model = create_model(config).eval()
    ndim = config.ndim if isinstance(config, ResNeXtConfig) else 2
    assert setup.input_size is not None
    images = torch.zeros(setup.batch_size, config.in_channels, *(setup.input_size,) * ndim)
    images.normal_(generator=torch.Generator().manual_seed(0))
    if setup.runtime == "onnxruntime":
        return _onnxruntime(model, images, setup.threads)
    if ndim == 2:
        model = model.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    return _compiled(model, images) if setup.runtime == "compiled" else _eager(model, images)


@contextmanager
def threads_of_torch(number: int) -> Iterator[None]:
    """Let torch use so many CPU threads, and as many as before afterwards."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _eager(model: Callable[[torch.Tensor], Any], images: torch.Tensor) -> Callable[[], Any]:
    import torch

    @torch.inference_mode()
    def infer() -> None:
        model(images)

    return infer


def _compiled(model: nn.Module, images: torch.Tensor) -> Callable[[], Any]:
    """Compile at once, and fail rather than fall back to eager.

    After eight networks torch runs further ones of the same class eagerly, with no more than
    a line on stderr; `fullgraph` makes that an error, and the higher limit avoids it.
    """
    import torch
    from torch._dynamo import config as dynamo

    infer = _eager(torch.compile(model, fullgraph=True, dynamic=False), images)
    with dynamo.patch(recompile_limit=_MOST_COMPILED):
        infer()
    return infer


def _onnxruntime(model: nn.Module, images: torch.Tensor, threads: int) -> Callable[[], Any]:
    import onnxruntime
    import torch

    program = torch.onnx.export(model, (images,), dynamo=True, verbose=False)
    assert program is not None
    content = program.model_proto.SerializeToString()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # idle threads that spin would spoil the timing of whatever runs in turns with this
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: images.numpy()}
    return lambda: session.run(None, feed)
