"""Resolves open speed settings of a run: memory layout, compilation, merged groups.

Runs of a few minutes use a table. Longer ones time their own steps, and try torch.compile if the
run is long enough to amortise compilation. The choice is stored in the run's settings, so that it
is kept when the run is resumed or repeated.

Source: docs/decisions/0017-speed-choices.md.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import torch

from resnext.data.loading.batches import num_steps
from resnext.data.split import DataInfo, DataSet
from resnext.model.config import DetectorConfig
from resnext.runs.config import TrainConfig
from resnext.runs.environment import describe_machine
from resnext.runs.runtime import Runtime
from resnext.training.slow_layout import TOO_SLOW, channels_last_slowdown
from resnext.training.speed_choice import (
    SpeedChoice,
    choice_of,
    eager_candidates,
    group_width,
)
from resnext.training.speed_table import look_up
from resnext.training.speed_timing import SpeedRace

SHORT_S = 300.0
"""Shorter runs use the table."""

COMPILE_S = 1800.0
"""Minimum length for trying compilation, which takes a minute or more."""

_MAX_COST = 0.05
_STEPS_EACH = 6  # two to warm up, one in the race, three measured
_MIN_GAIN = 0.97

Tell = Callable[[str], None]


@dataclass
class _Findings:
    """The timings; see `as_dict`."""

    choice: SpeedChoice
    source: str
    length_s: float = 0.0
    seconds: dict[SpeedChoice, list[float]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    def as_dict(self, runtime: Runtime) -> dict[str, Any]:
        """Return JSON values for the run's folder."""
        return {
            "choice": asdict(self.choice),
            "source": self.source,
            "estimated_training_s": round(self.length_s, 1),
            "step_s": {choice.label: times for choice, times in self.seconds.items()},
            "dropped_out": self.reasons,
            "machine": describe_machine(runtime),
            "num_threads": torch.get_num_threads(),
            "torch": torch.__version__,
        }

    def describe(self) -> str:
        """Describe in one line what was chosen and why."""
        times = {choice: statistics.median(found) for choice, found in self.seconds.items()}
        others = ", ".join(
            f"{seconds / times[self.choice]:.2f} ({choice.label})"
            for choice, seconds in sorted(times.items(), key=lambda item: item[1])
            if choice != self.choice
        )
        ratios = f"; relative step time of the others: {others}" if others else ""
        return f"speed: {self.choice.label} ({self.source}{ratios})"


def settle_speed(
    config: TrainConfig, data: DataSet, runtime: Runtime, begun: TrainConfig | None, *, tell: Tell
) -> tuple[TrainConfig, dict[str, Any] | None]:
    """Return settings in which all speed choices are made.

    Args:
        config: Resolved settings.
        data: The images.
        runtime: Device, precision, processes. The first process decides for all.
        begun: Settings of a run that may be resumed, whose choice is kept.
        tell: Called with progress messages and the choice.

    Returns:
        The settings, and the timings for `speed.json`; None if nothing was open.
    """
    if not config.runtime.is_open:
        return config, None
    if begun is not None and not begun.runtime.is_open:
        kept = config.replace(runtime=choice_of(begun.runtime).settle(config.runtime))
        if kept == begun:
            return kept, None
    if isinstance(config.model, DetectorConfig):  # their batches differ in size: nothing to time
        choice = look_up(runtime.device.type, config.model.backbone).choice
        choice = replace(choice, compile=False)
        tell(f"speed: {choice.label} (from the table)")
        return config.replace(runtime=choice.settle(config.runtime)), None
    total_steps = config.schedule.epochs * num_steps(len(data.train), config.batch_size)
    found = runtime.broadcast_from_main(
        lambda: _find(config, data.info, total_steps, runtime, tell)
    )
    tell(found.describe())
    settled = config.replace(runtime=found.choice.settle(config.runtime))
    return settled, found.as_dict(runtime)


def settle_by_table(config: TrainConfig, runtime: Runtime) -> TrainConfig:
    """Resolve the speed settings without timing."""
    choice = look_up(runtime.device.type, config.model).choice
    return config.replace(runtime=choice.settle(config.runtime))


def _find(
    config: TrainConfig, info: DataInfo, total_steps: int, runtime: Runtime, tell: Tell
) -> _Findings:
    entry = look_up(runtime.device.type, config.model)
    first = choice_of(entry.choice.settle(config.runtime))
    found = _Findings(first, f"from the table: {entry.source}")
    if config.runtime.layout == "auto" and _is_slow(config, runtime, first):
        first = found.choice = replace(first, layout="contiguous")
        found.source = "grouped convolutions in this precision are slow in channels_last here"
    others = [
        choice
        for choice in eager_candidates(config.runtime, config.model, runtime.device.type)
        if choice != first
    ]
    may_compile = config.runtime.compile == "auto"
    if not others and not may_compile:
        return found
    race = SpeedRace(config, info, runtime)
    try:
        step_s = race.prepare(first)
        if step_s is not None:
            found.length_s = step_s * total_steps
        if step_s is None or found.length_s >= SHORT_S:
            _time(race, found, others, total_steps, tell, may_compile=may_compile)
    finally:
        found.reasons = race.reasons
        race.release()
    return found


def _is_slow(config: TrainConfig, runtime: Runtime, choice: SpeedChoice) -> bool:
    """Return whether this version of torch is slow where the table says it is fast."""
    width = group_width(config.model)
    is_question = runtime.device.type == "cpu" and runtime.dtype != torch.float32
    if not is_question or width is None or choice.layout != "channels_last":
        return False
    return channels_last_slowdown(width, runtime.dtype) > TOO_SLOW


def _time(
    race: SpeedRace,
    found: _Findings,
    others: list[SpeedChoice],
    total_steps: int,
    tell: Tell,
    *,
    may_compile: bool,
) -> None:
    """Time the candidates that are worthwhile for the length of the run, and choose."""
    step_s = max(found.length_s / total_steps, 1e-6)
    if others and _STEPS_EACH * len(others) <= _MAX_COST * total_steps:
        tell(f"timing {len(others) + 1} ways to run the network")
        for choice in others:
            race.prepare(choice)
        _choose(found, race.run([found.choice, *others], step_s))
    compiled = replace(found.choice, compile=True, merge_groups="by_width")
    if may_compile and not found.choice.compile and found.length_s >= COMPILE_S:
        tell("compiling the network for timing")
        if race.prepare(compiled) is not None:
            _choose(found, race.run([found.choice, compiled], step_s))


def _choose(found: _Findings, seconds: dict[SpeedChoice, list[float]]) -> None:
    """Choose the fastest; keep the default if the gain is within the noise."""
    found.seconds |= seconds
    medians = {choice: statistics.median(times) for choice, times in seconds.items()}
    if not medians:  # none could run; the run itself will say why
        return
    best = min(medians, key=lambda choice: medians[choice])
    if found.choice not in medians or medians[best] < _MIN_GAIN * medians[found.choice]:
        found.choice = best
    found.source = "timed on this run's steps"
