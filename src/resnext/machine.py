"""Describes this machine, and configures how threads wait."""

from __future__ import annotations

import contextlib
import os
import platform
from pathlib import Path


def num_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cpu_name() -> str:
    """Return the processor's name on Linux, otherwise its architecture."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


# Some microseconds; GNU OpenMP's own 300,000 are some milliseconds
_SPINS = 1000


def waiting_environment() -> dict[str, str]:
    """Return environment variables that limit the spinning of waiting threads.

    PyTorch's threads wait a few hundred times per training step, and GNU OpenMP threads spin until
    the kernel preempts them. If another process uses a core, the awaited thread has none: training
    then took over 20 times as long (`bench.spinning`).

    The variables must be set before torch is loaded. Existing values are kept.
    """
    is_set = {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & os.environ.keys()
    return {} if is_set else {"GOMP_SPINCOUNT": str(_SPINS)}


_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
_GPU_DRIVERS = (Path("/dev/nvidiactl"), Path("/dev/kfd"), Path("/dev/dxg"))


def memory_bytes() -> int | None:
    """Return the memory of this machine or container, if known."""
    try:
        limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    except (ValueError, OSError, AttributeError):
        return None
    with contextlib.suppress(OSError, ValueError):
        limits.append(int(_CGROUP_LIMIT.read_text(encoding="ascii")))  # "max" is no limit
    return min(limits)


def may_have_gpu() -> bool:
    """Return whether there may be a GPU, without importing torch."""
    return os.name == "nt" or any(driver.exists() for driver in _GPU_DRIVERS)
