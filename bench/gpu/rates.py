"""Training throughput of our, timm's and torchvision's networks, by layout."""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass, field
from typing import Any

import torch

from bench.gpu.contestants import (
    LIBRARIES,
    Load,
    StepSetting,
    model_of,
    network_of,
    training_step,
    whole_loop,
)
from bench.gpu.deadline import Action, Deadline, race, ratio, synchronize
from resnext.runs.config import RuntimeConfig
from resnext.runs.determinism import choose_kernels

NETWORKS = ("resnext50_32x4d", "resnet50", "resnext101_32x4d")
_WARM_UP = 3
_ROUNDS = 5
_LEFT_OUT = {("resnext101_32x4d", "torchvision"): "torchvision has no such network"}


@dataclass
class Rates:
    """The measurements of one network.

    Attributes:
        network: Its name.
        seconds: Seconds of a step by setting, one per round.
        notes: Why a setting is missing.
        prepare_s: Seconds of the first steps, including compilation, by setting.
        peak_mib: Peak allocated memory of the device, by setting; empty on a CPU.
    """

    network: str
    seconds: dict[str, list[float]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    prepare_s: dict[str, float] = field(default_factory=dict)
    peak_mib: dict[str, float] = field(default_factory=dict)


def measure_network(name: str, load: Load, deadline: Deadline, *, compiled: bool) -> Rates:
    """Time all settings of a network alternately, after preparing them one by one.

    Args:
        name: The network.
        load: Device, batch and size.
        deadline: No setting is prepared after it.
        compiled: Time the compiled settings instead of the eager ones.
    """
    found = Rates(name)
    actions: dict[str, Action] = {}
    for setting in settings(compiled=compiled):
        if reason := _LEFT_OUT.get((name, setting.library)):
            found.notes[setting.label] = reason
        elif deadline.left_s <= 0:
            found.notes[setting.label] = "no time was left"
        elif action := _prepare(name, setting, load, found):
            actions[setting.label] = action
    times = race(list(actions.values()), load.device, rounds=_ROUNDS, deadline=deadline)
    found.seconds = dict(zip(actions, times, strict=True))
    actions.clear()
    release(load.device)
    return found


def settings(*, compiled: bool) -> list[StepSetting]:
    """Return every library in both layouts."""
    return [
        StepSetting(library, channels_last, compiled)
        for library in LIBRARIES
        for channels_last in (True, False)
    ]


def measure_loop(name: str, setting: StepSetting, load: Load, deadline: Deadline) -> dict[str, Any]:
    """Return our loop's step time over the bare step, and deterministic over fastest kernels."""
    bare_step = training_step(network_of(name, "resnext"), setting, load)
    model = model_of(name)

    def bare() -> None:
        with choose_kernels(RuntimeConfig(deterministic=False), load.device):
            bare_step()

    with (
        whole_loop(model, setting, load, deterministic=False) as fast,
        whole_loop(model, setting, load, deterministic=True) as exact,
    ):
        for action in (bare, fast, exact):
            for _ in range(_WARM_UP):
                action()
        times = race([bare, fast, exact], load.device, rounds=_ROUNDS, deadline=deadline)
    release(load.device)
    return {"ratio": ratio(times[1], times[0]), "exact": ratio(times[2], times[1])}


def release(device: torch.device) -> None:
    """Free the memory of deleted networks."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    torch.compiler.reset()


def _prepare(name: str, setting: StepSetting, load: Load, found: Rates) -> Action | None:
    on_gpu = load.device.type == "cuda"
    start = time.perf_counter()
    try:
        before = torch.cuda.memory_allocated(load.device) if on_gpu else 0
        if on_gpu:
            torch.cuda.reset_peak_memory_stats(load.device)
        action = training_step(network_of(name, setting.library), setting, load)
        for _ in range(_WARM_UP):
            action()
        synchronize(load.device)
    except (torch.OutOfMemoryError, RuntimeError) as error:
        found.notes[setting.label] = str(error).splitlines()[0][:200]
        return None
    if on_gpu:
        found.peak_mib[setting.label] = (
            torch.cuda.max_memory_allocated(load.device) - before
        ) / 2**20
    found.prepare_s[setting.label] = time.perf_counter() - start
    return action
