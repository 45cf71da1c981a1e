"""How long training will still take, estimated from the steps that it has done."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_VALIDATION_COST = 1 / 3
"""Of a training step with as many images: there is no backward pass, which costs about twice."""

_MEMORY_S = 120.0
"""Older measurements lose half of their weight for each further measured time of this length."""


@dataclass
class _Speed:
    """Measured steps at one image size, and the seconds that they took."""

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

    The very first step also allocates memory and may compile, so it counts only until there is
    another one. Where epochs have images of different sizes, a size that has not been reached is
    extrapolated by its area from the nearest one that has.
    """

    def __init__(
        self,
        sizes_px: Sequence[int],
        num_steps: int,
        validation_steps: float,
        *,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Prepare to measure.

        Args:
            sizes_px: Side of the training images in each epoch.
            num_steps: Steps of an epoch.
            validation_steps: Validation images divided by the images of a step.
            clock: Returns seconds that never run backwards.
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
        """Begin to measure steps, before the first or after an interruption such as validation.

        Args:
            step: Steps of this epoch that are done.
        """
        self._started, self._step = self._clock(), step

    def measure(self, epoch: int, step: int) -> None:
        """Count the steps since the last call.

        Args:
            epoch: The epoch, from 0.
            step: Steps of this epoch that are done.
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
        """Estimate the rest of the training, with the validation of each epoch.

        Args:
            epoch: The epoch, from 0.
            step: Steps of this epoch that are done.
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
