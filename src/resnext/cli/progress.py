"""A line that counts images while a verb works."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from resnext.terminal import create_console


@contextmanager
def show_progress(*, quiet: bool) -> Iterator[Callable[[int], None] | None]:
    """Show images and images/s on a terminal's standard error, nothing elsewhere.

    Args:
        quiet: Show nothing.

    Yields:
        A function to tell of more images, or None where nobody watches.
    """
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.completed} images"), TimeElapsedColumn())
    with Progress(*columns, console=create_console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)
        yield lambda num_images: progress.advance(task, num_images)


@contextmanager
def show_download() -> Iterator[Callable[[int, int | None], None] | None]:
    """Show bytes, speed and time left on a terminal's standard error, nothing elsewhere.

    Yields:
        A function to tell of the bytes that are there and those in all, or None.
    """
    if not sys.stderr.isatty():
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
