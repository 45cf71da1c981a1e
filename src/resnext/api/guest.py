"""Restores the state of the calling process.

Training seeds torch, may set its threads and GPU kernels, and catches signals while it runs. The
calling program gets its state back, even after an error. State that is never changed, such as
loggers and warning filters, is not handled.
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
    """Restore torch's seeds, threads and kernels, and the environment afterwards.

    Threads are serialised, as they share all of this.
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
    """Restore the current GPU and its rounding mode, which opening a device changes."""
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
    """Return the GPUs whose seeds must be restored, without initialising one."""
    return list(range(torch.cuda.device_count())) if _has_started_gpu() else []


def _has_started_gpu() -> bool:
    return bool(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]  # it has no types
