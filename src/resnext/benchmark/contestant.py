"""What is timed: networks, the ways to run them, and the settings.

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
"""On a CPU: PyTorch in four ways, our exports, torch's own export, and two libraries' networks."""

GPU_RUNTIMES: tuple[RuntimeName, ...] = (
    *("eager", "channels_last", "compiled", "cudagraphs"),
    *("onnxruntime", "tensorrt", "timm", "torchvision"),
)
"""On a GPU: PyTorch in four ways, ONNX Runtime on CUDA and through TensorRT, and two libraries."""

PrecisionName = Literal["fp32", "bf16", "fp16"]

PEERS = ("timm", "torchvision")
"""Libraries whose own network of the same name is timed, with weights of their own."""


def check_runtime(runtime: str, *, is_on_gpu: bool, precision: PrecisionName) -> None:
    """Check that a runtime can do what is asked of it.

    Raises:
        ConfigError: It runs on the other kind of device only, or in fp32 only.
    """
    if is_on_gpu and runtime not in GPU_RUNTIMES:
        raise ConfigError(f"{runtime} runs on the CPU; leave it out, or --device")
    if not is_on_gpu and runtime not in (*RUNTIMES, "pt2"):
        raise ConfigError(f"{runtime} runs on a GPU; give --device cuda, or leave it out")
    in_torch = ("eager", "channels_last", "compiled", "cudagraphs", *PEERS)
    if precision != "fp32" and runtime not in (*in_torch, "tensorrt"):
        raise ConfigError(f"{runtime} computes what the file says, in fp32; leave --precision out")


@dataclass(frozen=True)
class Setting:
    """One race: all contestants at these sizes.

    Attributes:
        batch: Images at once.
        threads: CPU threads of one inference.
    """

    batch: int
    threads: int


@dataclass(frozen=True)
class Plan:
    """What to measure and how often.

    Attributes:
        runtimes: Ways to run each network.
        batches: Images at once; each is a race of its own.
        threads: CPU threads; each is a race of its own.
        size_px: Side of the images; None takes what a network was made for.
        rounds: Turns of every contestant; three more warm up.
        device: `cpu`, `cuda` or `cuda:N`.
        precision: Of weights, images and arithmetic; see `check_runtime`.
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
            ConfigError: One is out of range or given twice.
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
        """The races, in the order in which they are run."""
        return [Setting(batch, threads) for threads in self.threads for batch in self.batches]


@dataclass(frozen=True)
class Job:
    """One contestant of one race, as its process is told it.

    Attributes:
        runtime: How to run it; an exported file of the user's has its format's runtime.
        path: File with the weights or the exported network; empty for a library's network.
        name: The network's name in libraries.
        num_classes: Classes of the head.
        shape: Channels and sides of one image.
        batch: Images at once.
        threads: CPU threads.
        device: Where it runs.
        precision: Of weights, images and arithmetic.
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
