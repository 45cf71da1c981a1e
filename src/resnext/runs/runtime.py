"""Where the computation runs: device, precision, threads and other processes."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist

from resnext.errors import ConfigError, ResNeXtError, TrainingError
from resnext.runs.config import RuntimeConfig
from resnext.runs.determinism import choose_kernels

# Numbers of glibc's malloc.h
_M_TRIM_THRESHOLD = -1
_M_MMAP_MAX = -4

_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Runtime:
    """The resolved runtime of this process.

    Attributes:
        device: Where tensors live.
        dtype: Data type of autocast; float32 means no autocast.
        rank: Index of this process.
        world_size: Number of processes that train together.
    """

    device: torch.device
    dtype: torch.dtype
    rank: int = 0
    world_size: int = 1

    @property
    def is_main(self) -> bool:
        """Whether this process writes the files and messages."""
        return self.rank == 0

    def autocast(self) -> torch.autocast:
        """Return the context in which the network and its loss run."""
        enabled = self.dtype != torch.float32
        return torch.autocast(self.device.type, self.dtype if enabled else None, enabled=enabled)

    def broadcast_from_main(self, call: Callable[[], _Answer]) -> _Answer:
        """Call a function in the first process only and return its result in all.

        Raises:
            ResNeXtError: The function raised it; all processes raise the same.
        """
        if self.world_size == 1:
            return call()
        shared: list[object] = [None, None]
        if self.is_main:
            try:
                shared[0] = call()
            except ResNeXtError as error:
                shared[1] = error
        dist.broadcast_object_list(shared, src=0)
        if isinstance(shared[1], ResNeXtError):
            raise shared[1]
        return shared[0]  # type: ignore[return-value]  # what `call` returned, sent over


@contextmanager
def open_runtime(config: RuntimeConfig) -> Iterator[Runtime]:
    """Resolve the settings for this machine and join the other processes, if any.

    Under `torchrun` the process group is opened here (gloo on CPU, NCCL on GPU) and
    closed when the context ends. A process that waits for the others longer than
    `config.timeout_minutes` gives up.

    Raises:
        ConfigError: The device or precision is not available here.
        TrainingError: Another process ended or no longer answers.
    """
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    _keep_freed_memory()
    world_size = int(os.environ.get("WORLD_SIZE", "1"))
    rank = int(os.environ.get("RANK", "0"))
    device = resolve_device(config.device)
    dtype = resolve_dtype(config.precision, device)
    with choose_kernels(config, device), _joined(config, device, rank, world_size):
        yield Runtime(device, dtype, rank, world_size)


@contextmanager
def _joined(
    config: RuntimeConfig, device: torch.device, rank: int, world_size: int
) -> Iterator[None]:
    """Join the processes that train together, if there are several."""
    if world_size == 1:
        yield
        return
    opened_here = not dist.is_initialized()
    if opened_here:
        _join("nccl" if device.type == "cuda" else "gloo", rank, world_size, config)
    try:
        yield
    except RuntimeError as error:
        if not _is_lost(error):
            raise
        raise TrainingError(
            f"process {rank} of {world_size} lost its connection to the others: one ended, or "
            f"did not answer within runtime.timeout_minutes={config.timeout_minutes:g}; see its "
            f"message ({str(error).splitlines()[0]}). `torchrun --max-restarts N` restarts all "
            "from the last checkpoint"
        ) from error
    finally:
        if opened_here:
            dist.destroy_process_group()


def _join(backend: str, rank: int, world_size: int, config: RuntimeConfig) -> None:
    """Open the process group.

    torchrun keeps one store across restarts, which still contains the addresses of ended processes;
    each start therefore uses its own key prefix.
    """
    timeout = timedelta(minutes=config.timeout_minutes)
    if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True":
        dist.init_process_group(backend, timeout=timeout)
        return
    address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    shared = dist.TCPStore(  # type: ignore[attr-defined]  # public, but not in __all__
        address, port, world_size, is_master=False, timeout=timeout
    )
    start = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    store = dist.PrefixStore(  # type: ignore[attr-defined]  # likewise
        f"start{start}of{world_size}", shared
    )
    dist.init_process_group(backend, store=store, rank=rank, world_size=world_size, timeout=timeout)


def _is_lost(error: RuntimeError) -> bool:
    """Return whether an error comes from the connection; gloo has no error type of its own."""
    return isinstance(error, dist.DistError) or "gloo" in str(error)


def _keep_freed_memory() -> None:
    """Let glibc keep large freed blocks instead of returning them to the system.

    On the CPU every feature map would otherwise be mapped and cleared again in each step, which
    takes a third of a small network's step. Costs memory: a process keeps its peak.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc only
    if mallopt is not None:
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)


def resolve_device(name: str) -> torch.device:
    """Turn `auto`, `cpu`, `cuda`, `cuda:1`, `mps` into a device that exists.

    On a GPU, this sets fp32 to full precision, without TF32.

    Raises:
        ConfigError: The name is not a device, or this machine does not have it.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ConfigError(f"device={name!r}: accepted are auto, cpu, cuda, cuda:N, mps") from None
    if device.type == "cuda":
        return _resolve_cuda(device)
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise ConfigError("device='mps': this machine has none; use device='cpu'")
    return device


def _resolve_cuda(device: torch.device) -> torch.device:
    if not torch.cuda.is_available():
        raise ConfigError(f"device={str(device)!r}: torch finds no GPU here; use device='cpu'")
    index = device.index if device.index is not None else int(os.environ.get("LOCAL_RANK", "0"))
    if index >= torch.cuda.device_count():
        raise ConfigError(
            f"device='cuda:{index}': this machine has {torch.cuda.device_count()} GPU(s); "
            "start no more processes than GPUs"
        )
    torch.cuda.set_device(index)
    # fp32 means fp32: cuDNN would round a convolution's factors to ten bits. bf16 and fp16 are
    # not slower for it. The newer name of this flag breaks torch.compile, which reads this one.
    torch.backends.cudnn.allow_tf32 = False
    return torch.device("cuda", index)


def resolve_dtype(precision: str, device: torch.device) -> torch.dtype:
    """Return the data type to compute in; `auto` is bf16 if the device has instructions for it."""
    if precision == "auto":
        precision = "bf16" if _multiplies_bf16(device) else "fp32"
    return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]


def _multiplies_bf16(device: torch.device) -> bool:
    """Return whether the device has bf16 instructions, which make it faster than fp32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    if device.type != "cpu":
        return False
    instructions = torch.cpu.get_capabilities()
    return bool(instructions.get("avx512_bf16") or instructions.get("amx_bf16"))
