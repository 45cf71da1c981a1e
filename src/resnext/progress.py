"""What a verb shows on standard error while it works."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from resnext._version import __version__
from resnext.durations import format_seconds
from resnext.line_clock import LineClock
from resnext.terminal import can_redraw, create_console

_FIRST_LINE_S = 10.0


def say_start(what: str, *, quiet: bool) -> None:
    """Print a first line before torch is imported, which takes seconds.

    Args:
        what: What follows, such as `reading the data`.
        quiet: Print nothing.
    """
    if not quiet:
        print(
            f"resnext {__version__}: loading PyTorch, then {what} ...", file=sys.stderr, flush=True
        )


def tell(line: str) -> None:
    """Print a line on standard error."""
    print(line, file=sys.stderr, flush=True)


@contextmanager
def show_progress(*, quiet: bool) -> Iterator[Callable[[int], None] | None]:
    """Show images and images/s on standard error: live on a terminal, else a line now and then.

    Args:
        quiet: Show nothing.

    Yields:
        A function to tell of more images, or None where nothing is shown.
    """
    if quiet:
        yield None
        return
    if not can_redraw():
        yield _count_in_lines()
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.completed} images"), TimeElapsedColumn())
    with Progress(*columns, console=create_console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)
        yield lambda num_images: progress.advance(task, num_images)


def _count_in_lines() -> Callable[[int], None]:
    """Return what prints the number of images now and then, not before some seconds."""
    clock, start, total = LineClock(first_s=_FIRST_LINE_S), time.monotonic(), 0

    def count(num_images: int) -> None:
        nonlocal total
        total += num_images
        if clock.is_due():
            rate = total / max(time.monotonic() - start, 1e-9)
            print(f"{total:,} images, {rate:,.0f} images/s", file=sys.stderr, flush=True)

    return count


@contextmanager
def show_download(*, quiet: bool = False) -> Iterator[Callable[[int, int | None], None] | None]:
    """Show bytes, speed and time left on a terminal's standard error, nothing elsewhere.

    Args:
        quiet: Show nothing.

    Yields:
        A function to tell of the bytes that are there and those in all, or None.
    """
    if quiet or not can_redraw():
        yield None
        return
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=create_console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None, visible=False)
        yield lambda there, total: progress.update(task, completed=there, total=total, visible=True)


@contextmanager
def show_steps(*, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Show steps of different kinds on standard error: a bar on a terminal, else lines.

    Args:
        quiet: Show nothing.

    Yields:
        A function to tell of the step that begins, the steps done and those in all.
    """
    if quiet:
        yield lambda *_: None
        return
    if not can_redraw():
        yield _steps_in_lines()
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=create_console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda what, done, total: bar.update(
            task, description=what, completed=done, total=total
        )


def _steps_in_lines() -> Callable[[str, int, int], None]:
    """Return what prints the first step, then one now and then, with the time left."""
    clock, start = LineClock(), time.monotonic()

    def tell(what: str, done: int, total: int) -> None:
        if not clock.is_due():
            return
        elapsed = time.monotonic() - start
        left = f", about {format_seconds(elapsed / done * (total - done))} left" if done else ""
        print(f"step {done + 1} of {total}: {what}{left}", file=sys.stderr, flush=True)

    return tell
