"""Estimates the remaining time of training from the completed steps."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_VALIDATION_COST = 1 / 3
"""Cost relative to a training step with as many images, as there is no backward pass."""

_MEMORY_S = 120.0
"""Half-life of older measurements, in seconds of measured time."""


@dataclass
class _Speed:
    """Measured steps at one image size, and their total seconds."""

    steps: float = 0.0
    seconds: float = 0.0

    def add(self, steps: int, seconds: float) -> None:
        if self.seconds > _MEMORY_S:
            self.steps /= 2
            self.seconds /= 2
        self.steps += steps
        self.seconds += seconds


class Pace:
    """Measures steps and validation, and extrapolates them to the end of training.

    The first step also allocates memory and may compile, so it only counts until there is another
    one. If epochs use different image sizes, sizes not reached yet are extrapolated by area from
    the nearest measured one.
    """

    def __init__(
        self,
        sizes_px: Sequence[int],
        num_steps: int,
        validation_steps: float,
        *,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Set up the measurement.

        Args:
            sizes_px: Side of the training images in each epoch.
            num_steps: Steps per epoch.
            validation_steps: Validation images divided by images per step.
            clock: Monotonic clock in seconds.
        """
        self._sizes_px = sizes_px
        self._num_steps = num_steps
        self._validation_steps = validation_steps
        self._clock = clock
        self._speeds: dict[int, _Speed] = {}
        self._first: tuple[int, float] | None = None
        self._validation_s: float | None = None
        self._started = clock()
        self._step = 0

    def start(self, step: int) -> None:
        """Start measuring, before the first step or after an interruption such as validation.

        Args:
            step: Completed steps of this epoch.
        """
        self._started, self._step = self._clock(), step

    def measure(self, epoch: int, step: int) -> None:
        """Count the steps since the last call.

        Args:
            epoch: The epoch, from 0.
            step: Completed steps of this epoch.
        """
        now, steps = self._clock(), step - self._step
        if steps <= 0:
            return
        seconds, size_px = now - self._started, self._sizes_px[epoch]
        if self._first is None:
            self._first = (size_px, seconds / steps)
        else:
            self._speeds.setdefault(size_px, _Speed()).add(steps, seconds)
        self._started, self._step = now, step

    def add_validation(self, seconds: float) -> None:
        """Count the validation of an epoch."""
        self._validation_s = seconds

    def seconds_left(self, epoch: int, step: int) -> float:
        """Estimate the remaining time of training, including validation.

        Args:
            epoch: The epoch, from 0.
            step: Completed steps of this epoch.
        """
        sizes_px = self._sizes_px[epoch:]
        steps = sum(self._num_steps * self._step_s(size_px) for size_px in sizes_px)
        done = step * self._step_s(sizes_px[0])
        return steps - done + len(sizes_px) * self._validation()

    def seconds_per_epoch(self) -> float:
        """Estimate an average epoch of the whole training."""
        return self.seconds_left(0, 0) / len(self._sizes_px)

    def _validation(self) -> float:
        if self._validation_s is not None:
            return self._validation_s
        return _VALIDATION_COST * self._validation_steps * self._step_s(self._sizes_px[-1])

    def _step_s(self, size_px: int) -> float:
        """Estimate the seconds of a step with images of a size."""
        known = {size: speed.seconds / speed.steps for size, speed in self._speeds.items()}
        if not known and self._first is not None:
            known = dict([self._first])
        if not known:
            return 0.0
        nearest = min(known, key=lambda size: abs(size - size_px))
        return known[nearest] * (size_px / nearest) ** 2
