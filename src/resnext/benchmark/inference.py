"""Prepares an inference for timing in a process of its own.

A runtime's packages are only imported if it is used, because their memory is part of the
measurement.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from resnext.benchmark.contestant import PEERS, Job, check_runtime
from resnext.errors import ConfigError
from resnext.turns import Stopwatch

if TYPE_CHECKING:
    from torch import nn

    from resnext.runtimes.spec import Arithmetic

Infer = Callable[[], Any]
"""Runs the network once on one batch; returns logits for `as_numpy`."""

_FILES = ("onnxruntime", "openvino", "openvino-bf16", "pt2", "torchscript")
_IN_TORCH = (
    *("eager", "channels_last", "fused", "compiled", "cudagraphs"),
    *(*PEERS, "pt2", "torchscript"),
)
_MAX_COMPARED = 100_000  # numbers
_WARM_UP = 3  # runs on a side stream before a graph is captured, as torch requires


def prepare(job: Job) -> Infer:
    """Load or build the network of a job, and its images.

    Raises:
        ConfigError: The library has no such network, or a package is missing.
        CheckpointError: The file cannot be read.
    """
    if job.runtime in _IN_TORCH:
        import torch

        torch.set_num_threads(job.threads)
    check_runtime(job.runtime, is_on_gpu=job.is_on_gpu, precision=job.precision)
    if job.is_on_gpu and job.runtime in ("onnxruntime", "tensorrt"):
        return _exported_on_gpu(job)
    if job.runtime in _FILES:
        return _exported(job)
    if job.runtime == "onnx-plain":
        return _onnx_plain(job)
    return _torch(job)


def stopwatch_for(job: Job) -> Stopwatch | None:
    """Return the timer of a job: GPU events for torch on a GPU, otherwise None for the clock.

    ONNX Runtime uses its own stream, which torch's events do not cover, and waits for it.
    """
    if not job.is_on_gpu or job.runtime not in _IN_TORCH:
        return None
    import torch

    from resnext.benchmark.device import stopwatch_of

    return stopwatch_of(torch.device(job.device))


def as_numpy(logits_bk: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return the output of an inference as float32, from any device."""
    if hasattr(logits_bk, "detach"):
        logits_bk = logits_bk.detach().float().cpu()
    elif hasattr(logits_bk, "numpy"):  # a value of ONNX Runtime
        logits_bk = logits_bk.numpy()
    return np.asarray(logits_bk, np.float32)


def sample_of(
    outputs: np.ndarray[Any, np.dtype[np.float32]],
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return the outputs for one image to compare; of scores of every pixel, some spread evenly."""
    flat = outputs.ravel()
    return flat[:: max(len(flat) // _MAX_COMPARED, 1)]


def images_of(shape: tuple[int, ...], *, pixels: bool = False) -> np.ndarray[Any, np.dtype[Any]]:
    """Generate a random batch, the same for every contestant.

    Args:
        shape: b x c x sides, or b x sides x c of pixels.
        pixels: uint8 instead of normalised float32.
    """
    generator = np.random.default_rng(0)
    if pixels:
        return generator.integers(0, 256, shape, np.uint8)
    return generator.standard_normal(shape, np.float32)


def _exported(job: Job) -> Infer:
    from resnext.runtimes.open import open_exported
    from resnext.runtimes.spec import FLOAT_INPUTS

    # PyTorch's own formats use torch's threads
    own = job.threads if job.runtime not in _IN_TORCH else None
    precision: Arithmetic | None = "bf16" if job.runtime == "openvino-bf16" else None
    exported = open_exported(Path(job.path), threads=own, precision=precision)
    if exported.spec.input in FLOAT_INPUTS:
        batch = images_of((job.batch, *job.shape))
    else:
        channels, *sides = job.shape
        batch = images_of((job.batch, *sides, channels), pixels=True)
    return lambda: exported.run(batch)


def _onnx_plain(job: Job) -> Infer:
    from resnext.runtimes.onnx_session import open_session

    session = open_session(Path(job.path), job.threads)
    feed = {session.get_inputs()[0].name: images_of((job.batch, *job.shape))}
    return lambda: session.run(None, feed)[0]


def _exported_on_gpu(job: Job) -> Infer:
    from resnext.benchmark.gpu_session import open_on_gpu

    images_bchw = images_of((job.batch, *job.shape))
    index = int(job.device.partition(":")[2] or 0)
    return open_on_gpu(
        Path(job.path), job.runtime, images_bchw, index=index, precision=job.precision
    )


def _torch(job: Job) -> Infer:
    import torch

    from resnext.benchmark.device import DTYPES, find_device

    place: dict[str, Any] = {"device": find_device(job.device), "dtype": DTYPES[job.precision]}
    network = (_peer(job) if job.runtime in PEERS else _ours(job)).to(**place)
    images = torch.from_numpy(images_of((job.batch, *job.shape))).to(**place)
    if job.runtime != "eager":
        network = network.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    call: Callable[[torch.Tensor], torch.Tensor] = network
    if job.runtime == "fused":
        from resnext.inference.fused import FusedNetwork

        call = FusedNetwork(network)  # as `predict` and `evaluate` run many images
    if job.runtime == "compiled":
        # `fullgraph`: an error rather than a silent fall back to eager
        call = torch.compile(network, fullgraph=True, dynamic=False)

    @torch.inference_mode()
    def infer() -> Any:
        return call(images)

    return _captured(infer) if job.runtime == "cudagraphs" else infer


def _captured(infer: Infer) -> Infer:
    """Capture an inference in a CUDA graph, so that each run is a single launch."""
    import torch

    side: Any = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # torch's
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(_WARM_UP):
            infer()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        logits_bk = infer()

    def replay() -> Any:
        graph.replay()
        return logits_bk

    return replay


def _ours(job: Job) -> nn.Module:
    from resnext.inference.load import load

    return load(job.path).module


def _peer(job: Job) -> nn.Module:
    channels = job.shape[0]
    if job.runtime == "timm":
        import timm

        if not timm.is_model(job.name):
            raise ConfigError(f"timm has no network named {job.name}")
        network: nn.Module = timm.create_model(
            job.name, num_classes=job.num_classes, in_chans=channels
        )
        return network.eval()
    import torchvision

    if job.name not in torchvision.models.list_models(torchvision.models) or channels != 3:
        raise ConfigError(f"torchvision has no network named {job.name} for {channels} channel(s)")
    network = torchvision.models.get_model(job.name, weights=None, num_classes=job.num_classes)
    return network.eval()
