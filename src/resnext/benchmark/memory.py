"""The memory of this process, and the available memory."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")
_MEMINFO = Path("/proc/meminfo")


def forget_peak() -> None:
    """Reset the peak to the current resident memory, if Linux allows it."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_memory_mib() -> float | None:
    """Return the largest resident memory of this process since `forget_peak`; None if unknown.

    Linux's getrusage would also count the parent's memory at the start of this process.
    """
    if _STATUS.exists():
        return _read_kib(_STATUS, "VmHWM") / 1024
    if sys.platform == "darwin":
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return None


def available_mib() -> float | None:
    """Return the memory available to new processes; None if unknown."""
    return _read_kib(_MEMINFO, "MemAvailable") / 1024 if _MEMINFO.exists() else None


def _read_kib(file: Path, name: str) -> float:
    for line in file.read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return float(line.split()[1])
    raise AssertionError(f"{file} has no {name}")
