"""Progress of the training loop: metrics and time left, at intervals."""

from __future__ import annotations

from collections.abc import Callable

from resnext.durations import duration_text
from resnext.training.checkpoint import Position
from resnext.training.display import Display
from resnext.training.pace import Pace

_NUM_MEASURED = 8
"""Steps before the first estimate of the training time."""


class Follower:
    """Shows the steps of a training, and estimates its duration once."""

    def __init__(self, display: Display, pace: Pace, num_steps: int, num_epochs: int) -> None:
        """Set up the display.

        Args:
            display: Where to show it.
            pace: Measures the steps.
            num_steps: Steps per epoch.
            num_epochs: Number of epochs.
        """
        self._display = display
        self._pace = pace
        self._num_steps = num_steps
        self._num_epochs = num_epochs
        self._first_step: int | None = None
        self._is_estimated = False

    def start_epoch(self, position: Position) -> None:
        """Start measuring an epoch, or the rest of one."""
        if self._first_step is None:
            self._first_step = position.total_steps
        self._pace.start(position.step)

    def follow(self, position: Position, read: Callable[[], tuple[float, float]]) -> None:
        """Show a step if it is due.

        Args:
            position: The completed steps.
            read: Returns the loss and the images per second of the last steps; only called when
                due, because it waits for the GPU.
        """
        is_measured = self._done(position) >= _NUM_MEASURED or position.step == self._num_steps
        wants_estimate = is_measured and not self._is_estimated
        is_shown = self._display.is_due() or self._done(position) == 1
        if not (is_shown or wants_estimate or position.step == self._num_steps):
            return
        loss, images_per_s = read()
        self._pace.measure(position.epoch, position.step)
        if is_shown:
            self._display.step(
                epoch=f"epoch {position.epoch + 1}/{self._num_epochs}",
                step=f"step {position.step:,}/{self._num_steps:,}",
                total_steps=position.total_steps,
                loss=loss,
                images_per_s=images_per_s,
                seconds_left=self._pace.seconds_left(position.epoch, position.step),
            )
        if wants_estimate:
            self._is_estimated = True
            self._display.note(self._estimate(position))

    def _done(self, position: Position) -> int:
        """Return the steps that this process has completed."""
        return position.total_steps - (self._first_step or 0)

    def _estimate(self, position: Position) -> str:
        if self._first_step:
            left_s = self._pace.seconds_left(position.epoch, position.step)
            rest = f"{duration_text(left_s)} left"
        else:
            rest = f"{duration_text(self._pace.seconds_left(0, 0))} in total"
        return (
            f"{'time':<9} about {duration_text(self._pace.seconds_per_epoch())} per epoch, "
            f"{rest}; estimated from the first {self._done(position)} step(s)"
        )
