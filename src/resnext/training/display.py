"""What a person sees while training: a live bar on a terminal, plain lines elsewhere.

Everything goes to stderr; stdout is kept for results.
"""

from __future__ import annotations

import sys
import time
from typing import Literal

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from resnext.terminal import create_console

Mode = Literal["live", "plain", "quiet"]
_SECONDS_BETWEEN_LINES = 30.0


def default_mode(*, quiet: bool) -> Mode:
    """Choose by where stderr goes."""
    if quiet:
        return "quiet"
    return "live" if sys.stderr.isatty() else "plain"


class Display:
    """Shows progress, throughput, loss, error and the time left."""

    def __init__(self, mode: Mode) -> None:
        self._mode = mode
        self._console = create_console(stderr=True, quiet=mode == "quiet")
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._last_line = time.monotonic()
        self._error = ""

    def note(self, text: str) -> None:
        """Print one line that stays."""
        self._console.print(text, soft_wrap=True)

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
        self, *, epoch: str, total_steps: int, loss: float, images_per_s: float, seconds_left: float
    ) -> None:
        """Show the state after a training interval."""
        figures = f"loss {loss:.3f}{self._error}  {images_per_s:,.0f} images/s"
        left = format_seconds(seconds_left)
        if self._progress is not None and self._task is not None:
            self._progress.update(
                self._task, description=epoch, completed=total_steps, figures=figures, left=left
            )
        elif time.monotonic() - self._last_line > _SECONDS_BETWEEN_LINES:
            self.note(f"{epoch}  {figures}  left {left}")
            self._last_line = time.monotonic()

    def epoch(self, *, epoch: str, train_loss: float, loss: float, top1_error: float) -> None:
        """Show the validation figures of a finished epoch."""
        self._error = f"  error {top1_error:.2f}%"
        self.note(
            f"{epoch}  train loss {train_loss:.4f}  loss {loss:.4f}  top-1 error {top1_error:.2f}%"
        )
        self._last_line = time.monotonic()

    def stop(self) -> None:
        """Remove the live bar."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


def format_seconds(seconds: float) -> str:
    """Write a duration as h:mm:ss, or m:ss below an hour."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
