"""Selects GPU kernels: deterministic ones, or the fastest.

cuDNN and cuBLAS have several kernels for an operation, and the fastest may add numbers in an order
that differs between runs. On a CPU this has no effect.

Source: docs/decisions/0016-exact-runs-on-gpus.md.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from resnext.runs.config import RuntimeConfig

CUBLAS_WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"


@contextmanager
def choose_kernels(config: RuntimeConfig, device: torch.device) -> Iterator[None]:
    """Select the kernels of a GPU within a context.

    Args:
        config: `deterministic` requests the same bits in every run; otherwise cuDNN times its
            kernels for each new shape and uses the fastest.
        device: Where the arithmetic runs.
    """
    if device.type != "cuda":
        yield
        return
    cudnn = torch.backends.cudnn
    before = cudnn.deterministic, cudnn.benchmark
    algorithms = torch.are_deterministic_algorithms_enabled()
    is_warning = torch.is_deterministic_algorithms_warn_only_enabled()
    memory: Any = torch.utils.deterministic  # its property is not declared
    fills = memory.fill_uninitialized_memory
    cudnn.deterministic, cudnn.benchmark = config.deterministic, not config.deterministic
    if config.deterministic:
        os.environ.setdefault(CUBLAS_WORKSPACE, ":4096:8")  # read when cuBLAS is first used
        # An operation that has no such kernel, such as pooling in 3-D, warns by its name.
        torch.use_deterministic_algorithms(True, warn_only=True)
        memory.fill_uninitialized_memory = False  # finds bugs, costs time
        if config.compile:
            _compile_without_timing()
    try:
        yield
    finally:
        cudnn.deterministic, cudnn.benchmark = before
        torch.use_deterministic_algorithms(algorithms, warn_only=is_warning)
        memory.fill_uninitialized_memory = fills


def _compile_without_timing() -> None:
    """Let torch.compile choose kernels by rule; a timed choice may differ in a new process.

    Older versions of torch lack this mode.
    """
    from torch._inductor import config as inductor

    if hasattr(inductor, "deterministic"):
        inductor.deterministic = True
