"""What a person sees while training: a live bar on a terminal, plain lines elsewhere.

Everything goes to stderr; stdout is kept for results.
"""

from __future__ import annotations

import time
from typing import Literal

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from resnext.durations import format_seconds
from resnext.line_clock import LineClock
from resnext.terminal import can_redraw, create_console

Mode = Literal["live", "plain", "quiet"]
_SECONDS_BETWEEN_DRAWINGS = 0.5


def default_mode(*, quiet: bool) -> Mode:
    """Choose by where stderr goes."""
    if quiet:
        return "quiet"
    return "live" if can_redraw() else "plain"


class Display:
    """Shows progress, throughput, loss, error and the time left."""

    def __init__(self, mode: Mode) -> None:
        self._mode = mode
        self._console = create_console(stderr=True, quiet=mode == "quiet")
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._clock = LineClock()
        self._last_drawing = 0.0
        self._measured = ""

    def note(self, text: str) -> None:
        """Print one line that stays."""
        self._console.print(text, soft_wrap=True)

    def is_due(self) -> bool:
        """Tell whether a step should be shown now: a line is due, or the bar is out of date."""
        if self._mode == "plain":
            return self._clock.is_due()
        now = time.monotonic()
        if self._mode == "quiet" or now - self._last_drawing < _SECONDS_BETWEEN_DRAWINGS:
            return False
        self._last_drawing = now
        return True

    def start(self, total_steps: int, done_steps: int) -> None:
        """Begin to show a training of so many optimiser steps."""
        if self._mode != "live":
            return
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[figures]}", markup=False),
            TimeElapsedColumn(),
            TextColumn("left {task.fields[left]}"),
            console=self._console,
            transient=True,
        )
        self._task = self._progress.add_task(
            "starting", total=total_steps, completed=done_steps, figures="", left="?"
        )
        self._progress.start()

    def step(
        self,
        *,
        epoch: str,
        step: str,
        total_steps: int,
        loss: float,
        images_per_s: float,
        seconds_left: float,
    ) -> None:
        """Show the state after a step; see `is_due`."""
        figures = f"loss {loss:.3f}{self._measured}  {images_per_s:,.0f} images/s"
        left = format_seconds(seconds_left)
        if self._progress is not None and self._task is not None:
            self._progress.update(
                self._task, description=epoch, completed=total_steps, figures=figures, left=left
            )
        elif self._mode == "plain":
            self.note(f"{epoch}  {step}  {figures}  about {left} left")

    def validate(self, epoch: str) -> None:
        """Show that the images of an epoch's validation are being looked at."""
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, description=f"{epoch}, validating")

    def epoch(self, *, epoch: str, train_loss: float, loss: float, measured: str) -> None:
        """Show the validation figures of a finished epoch; `measured` is the task's, in words."""
        self._measured = f"  {measured}"
        self.note(f"{epoch}  train loss {train_loss:.4f}  loss {loss:.4f}  {measured}")

    def stop(self) -> None:
        """Remove the live bar."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
