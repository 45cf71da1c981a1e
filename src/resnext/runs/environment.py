"""The environment of a run: versions, hardware, git state."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from typing import Any

import torch

from resnext.machine import cpu_name
from resnext.plugins import describe_plugins
from resnext.runs.runtime import Runtime

_PACKAGES = ("resnext", "torch", "torchvision", "numpy", "pillow")


def describe_environment(runtime: Runtime) -> dict[str, Any]:
    """Collect the information needed to reproduce a run."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: importlib.metadata.version(name) for name in _PACKAGES},
        "cpu": cpu_name(),
        "num_cores": os.cpu_count(),
        "num_threads": torch.get_num_threads(),
        "device": _device_name(runtime.device),
        "dtype": str(runtime.dtype).removeprefix("torch."),
        "num_processes": runtime.world_size,
        "git": _git_state(),
        **({"plugins": found} if (found := describe_plugins()) else {}),
    }


def describe_machine(runtime: Runtime) -> str:
    """Return the name of the GPU or the processor."""
    is_gpu = runtime.device.type == "cuda"
    return _device_name(runtime.device) if is_gpu else cpu_name()


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def _git_state() -> str | None:
    """Return the commit of the working folder, marked if there are uncommitted changes."""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40"],
            capture_output=True,
            text=True,
            check=False,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None  # git is not installed or does not answer
    return done.stdout.strip() or None
