"""A process that belongs to somebody else is left as it was found.

Training seeds torch, may set its threads and the kernels of a GPU, and catches signals for as long
as it runs. A program that calls it wants all that back, also after an error. What is never changed,
such as loggers and the filters of warnings, needs no care.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from resnext.runs.determinism import CUBLAS_WORKSPACE

_ONE_AT_A_TIME = threading.RLock()


@contextmanager
def guest() -> Iterator[None]:
    """Give back torch's seeds, threads and kernels, and the environment, as they were before.

    Several threads may come; one works at a time, since they share all of this.
    """
    with _ONE_AT_A_TIME, torch.random.fork_rng(_gpus()), kept_kernels():
        threads = torch.get_num_threads()
        try:
            yield
        finally:
            if torch.get_num_threads() != threads:
                torch.set_num_threads(threads)


@contextmanager
def kept_kernels() -> Iterator[None]:
    """Give back which GPU is the current one, and how it rounds: opening a device sets both."""
    cudnn = torch.backends.cudnn
    tf32, workspace = cudnn.allow_tf32, os.environ.get(CUBLAS_WORKSPACE)
    device = torch.cuda.current_device() if _has_started_gpu() else None
    try:
        yield
    finally:
        cudnn.allow_tf32 = tf32
        if workspace is None:
            os.environ.pop(CUBLAS_WORKSPACE, None)
        if device is not None:
            torch.cuda.set_device(device)


def _gpus() -> list[int]:
    """Return the GPUs whose seeds there are to keep, without starting one."""
    return list(range(torch.cuda.device_count())) if _has_started_gpu() else []


def _has_started_gpu() -> bool:
    return bool(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]  # it has no types
