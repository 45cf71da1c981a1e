"""Candidates timed on a run's own training steps: its network, batch, precision and device."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from resnext.data.loading.batch import Batch
from resnext.data.split import DataInfo
from resnext.data.targets import made_up_targets
from resnext.runs.config import TrainConfig
from resnext.runs.runtime import Runtime
from resnext.training.build import build_train_step
from resnext.training.speed_choice import SpeedChoice
from resnext.turns import take_turns

_LEARNING_RATE = 1e-3
_BUDGET_S = 8.0
_MIN_ROUNDS, _MAX_ROUNDS = 3, 15
_MAX_REASON = 200


class SpeedRace:
    """Candidates, each with a network of its own.

    One process times them with its share of the batch and exchanges nothing with others.

    Attributes:
        reasons: Why candidates dropped out, by their label.
    """

    def __init__(self, config: TrainConfig, info: DataInfo, runtime: Runtime) -> None:
        share = config.batch_size // runtime.world_size // config.accumulate * config.accumulate
        self._config = config.replace(batch_size=max(share, config.accumulate), sync_norm=False)
        self._info = info
        self._runtime = replace(runtime, rank=0, world_size=1)
        self._steps: dict[SpeedChoice, Callable[[], None]] = {}
        self.reasons: dict[str, str] = {}

    def prepare(self, choice: SpeedChoice) -> float | None:
        """Build a candidate and let it do two steps.

        Returns:
            Seconds of the second step; None if it failed.
        """
        try:
            step = self._step(choice)
            step()
            start = time.perf_counter()
            step()
            seconds = time.perf_counter() - start
        except Exception as error:  # a compiler may fail in any way, and memory may be too small
            self.reasons[choice.label] = (str(error).strip().splitlines() or [""])[0][:_MAX_REASON]
            return None
        self._steps[choice] = step
        return seconds

    def run(self, choices: Sequence[SpeedChoice], step_s: float) -> dict[SpeedChoice, list[float]]:
        """Time prepared candidates in turns.

        Args:
            choices: Candidates; those that dropped out are left out.
            step_s: Roughly the seconds of a step, from which the number of rounds follows.

        Returns:
            Seconds of a step in each round.
        """
        ready = [choice for choice in choices if choice in self._steps]
        if not ready:
            return {}
        fitting = round(_BUDGET_S / (step_s * len(ready)))
        rounds = min(max(fitting, _MIN_ROUNDS), _MAX_ROUNDS)
        seconds = take_turns([self._steps[choice] for choice in ready], rounds, warm_up=1)
        return dict(zip(ready, seconds, strict=True))

    def release(self) -> None:
        """Give back the memory, and forget what was compiled: the run begins as if alone."""
        self._steps.clear()
        gc.collect()
        if self._runtime.device.type == "cuda":
            torch.cuda.empty_cache()
        torch.compiler.reset()

    def _step(self, choice: SpeedChoice) -> Callable[[], None]:
        runtime = self._config.runtime.replace(
            layout=choice.layout, compile=choice.compile, merge_groups=choice.merge_groups
        )
        config = self._config.replace(runtime=runtime)
        train_step = build_train_step(config, self._info, self._runtime)
        train_step.set_train_mode()
        batch = self._batch(choice)

        def step() -> None:
            train_step.run(batch, _LEARNING_RATE)
            if self._runtime.device.type == "cuda":
                torch.cuda.synchronize(self._runtime.device)

        return step

    def _batch(self, choice: SpeedChoice) -> Batch:
        """Return a batch of noise, of the shape of the run's largest images."""
        size, ndim = self._config.batch_size, getattr(self._config.model, "ndim", 2)
        side_px = round(self._info.image_size_px * max(self._config.size_schedule))
        generator = torch.Generator().manual_seed(0)
        signal = self._info.signal
        sides = (side_px,) * ndim if signal is None else signal.sides
        shape = (size, self._info.in_channels, *sides)
        images_bc = torch.randn(shape, generator=generator).to(self._runtime.device)
        if len(sides) == 2 and choice.layout == "channels_last":
            images_bc = images_bc.contiguous(memory_format=torch.channels_last)
        targets_b = made_up_targets(self._info.targets, size, len(self._info.classes), side_px)
        targets_b = targets_b.to(self._runtime.device)
        return Batch(images_bc, targets_b, torch.arange(size), global_size=size)
