"""The measured device: its name, clocks and timer."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from typing import Any

import torch

from resnext.benchmark.contestant import PrecisionName
from resnext.machine import cpu_name, num_cores
from resnext.runs.runtime import resolve_device
from resnext.turns import Stopwatch

DTYPES: dict[PrecisionName, torch.dtype] = {
    "fp32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}

_CLOCKS = ("clocks.sm", "clocks.mem", "clocks.max.sm", "power.draw", "temperature.gpu")


def find_device(name: str) -> torch.device:
    """Return a device, and set its fp32 to full precision without TF32.

    On a GPU cuDNN times its kernels for each shape, so that every contestant runs at its best.

    Raises:
        ConfigError: This machine has no such device.
    """
    device = resolve_device(name)
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = True
    return device


def describe_device(device: torch.device) -> str:
    """Return the name of the GPU, or of the processor with its cores."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{cpu_name()}, {num_cores()} core(s)"


def stopwatch_of(device: torch.device) -> Stopwatch:
    """Return a function that times an action, with GPU events on a GPU."""
    if device.type == "cuda":
        return _seconds_by_events
    return _seconds_by_clock


def read_clocks(device: torch.device) -> dict[str, str]:
    """Return a GPU's current clocks, power and temperature from nvidia-smi.

    A hot or power-limited GPU runs at a lower clock, so results must show it.

    Returns:
        Empty on a CPU, or if nvidia-smi does not answer.
    """
    if device.type != "cuda":
        return {}
    command = ["nvidia-smi", f"--id={device.index or 0}", f"--query-gpu={','.join(_CLOCKS)}"]
    try:
        done = subprocess.run(
            [*command, "--format=csv,noheader"],
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
    except (OSError, subprocess.TimeoutExpired):
        return {}
    values = [value.strip() for value in done.stdout.strip().split(",")]
    if done.returncode != 0 or len(values) != len(_CLOCKS):
        return {}
    return dict(zip(_CLOCKS, values, strict=True))


def _seconds_by_clock(action: Callable[[], Any]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def _seconds_by_events(action: Callable[[], Any]) -> float:
    event: Any = torch.cuda.Event  # its constructor is not annotated
    start, end = event(enable_timing=True), event(enable_timing=True)
    start.record()
    action()
    end.record()
    end.synchronize()
    return 1e-3 * float(start.elapsed_time(end))
