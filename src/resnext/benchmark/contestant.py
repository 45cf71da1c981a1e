"""What is timed: networks, runtimes and settings.

Nothing here needs torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from resnext.errors import ConfigError
from resnext.machine import num_cores

RuntimeName = Literal[
    "eager",
    "channels_last",
    "fused",
    "compiled",
    "onnxruntime",
    "onnx-plain",
    "openvino",
    "openvino-bf16",
    "torchscript",
    "timm",
    "torchvision",
    "cudagraphs",
    "tensorrt",
]
RUNTIMES: tuple[RuntimeName, ...] = get_args(RuntimeName)[:-2]
"""Runtimes on a CPU: four modes of PyTorch, our exports, torch's own export, two other
libraries."""

GPU_RUNTIMES: tuple[RuntimeName, ...] = (
    *("eager", "channels_last", "compiled", "cudagraphs"),
    *("onnxruntime", "tensorrt", "timm", "torchvision"),
)
"""Runtimes on a GPU: four modes of PyTorch, ONNX Runtime with CUDA and TensorRT, two libraries."""

PrecisionName = Literal["fp32", "bf16", "fp16"]

PEERS = ("timm", "torchvision")
"""Libraries whose network of the same name is timed, with its own weights."""


def check_runtime(runtime: str, *, is_on_gpu: bool, precision: PrecisionName) -> None:
    """Check that a runtime supports the requested device and precision.

    Raises:
        ConfigError: It only supports the other kind of device, or only fp32.
    """
    if is_on_gpu and runtime not in GPU_RUNTIMES:
        raise ConfigError(f"{runtime} only runs on the CPU; leave out the runtime or --device")
    if not is_on_gpu and runtime not in (*RUNTIMES, "pt2"):
        raise ConfigError(
            f"{runtime} only runs on a GPU; give --device cuda, or leave out the runtime"
        )
    in_torch = ("eager", "channels_last", "compiled", "cudagraphs", *PEERS)
    if precision != "fp32" and runtime not in (*in_torch, "tensorrt"):
        raise ConfigError(f"{runtime} computes in fp32 only; leave out --precision")


@dataclass(frozen=True)
class Setting:
    """Settings of one race.

    Attributes:
        batch: Images per batch.
        threads: CPU threads of one inference.
    """

    batch: int
    threads: int


@dataclass(frozen=True)
class Plan:
    """What to measure, and how often.

    Attributes:
        runtimes: Ways to run each network.
        batches: Batch sizes; each is a separate race.
        threads: Numbers of CPU threads; each is a separate race.
        size_px: Side of the images; None uses the network's default.
        rounds: Measured turns of every contestant, after three warm-up turns.
        device: `cpu`, `cuda` or `cuda:N`.
        precision: Precision of weights, images and computation; see `check_runtime`.
    """

    runtimes: tuple[RuntimeName, ...] = RUNTIMES
    batches: tuple[int, ...] = (1,)
    threads: tuple[int, ...] = (1,)
    size_px: int | None = None
    rounds: int = 15
    device: str = "cpu"
    precision: PrecisionName = "fp32"

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: One is out of range or repeated.
        """
        most = num_cores()
        ranges = {
            "batch": (self.batches, 1, 4096),
            "threads": (self.threads, 1, most),
            "rounds": ((self.rounds,), 2, 100_000),
            "size": (() if self.size_px is None else (self.size_px,), 1, 4096),
        }
        for name, (values, least, largest) in ranges.items():
            for value in values:
                if not least <= value <= largest:
                    why = f"; this process may use {most} core(s)" if name == "threads" else ""
                    raise ConfigError(f"{name}={value}: give {least} to {largest:,}{why}")
        for name, given in (
            ("runtime", self.runtimes),
            ("batch", self.batches),
            ("threads", self.threads),
        ):
            if not given or len(set(given)) != len(given):
                raise ConfigError(f"{name}={list(given)}: give at least one, and each once")

    @property
    def settings(self) -> list[Setting]:
        """The races, in execution order."""
        return [Setting(batch, threads) for threads in self.threads for batch in self.batches]


@dataclass(frozen=True)
class Job:
    """One contestant of one race, as sent to its process.

    Attributes:
        runtime: How to run it; a user's exported file has the runtime of its format.
        path: File with the weights or the exported network; empty for a library's network.
        name: The network's name in libraries.
        num_classes: Classes of the head.
        shape: Channels and sides of one image.
        batch: Images per batch.
        threads: CPU threads.
        device: Device it runs on.
        precision: Precision of weights, images and computation.
    """

    runtime: str
    path: str
    name: str
    num_classes: int
    shape: tuple[int, ...]
    batch: int
    threads: int
    device: str = "cpu"
    precision: PrecisionName = "fp32"

    @property
    def is_on_gpu(self) -> bool:
        """Whether it runs on a GPU."""
        return self.device.startswith("cuda")
