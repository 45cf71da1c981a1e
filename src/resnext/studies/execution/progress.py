"""Progress of a study: a live table of the running trials, or plain lines."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from rich import box
from rich.console import Console
from rich.live import Live
from rich.table import Table

from resnext.durations import format_seconds
from resnext.runs.folder import METRICS
from resnext.studies.records.metric import metric_of
from resnext.studies.records.results import Row
from resnext.studies.records.trial import RUN, Trial
from resnext.tasks.kinds import task_kind
from resnext.untrusted.parse import parse_json_lines
from resnext.untrusted.text import printable

_SECONDS_BETWEEN_LOOKS = 1.0
_HUGE = 1e15
_TAIL_BYTES = 32768  # holds the intervals of a long epoch


class Progress:
    """Shows the progress of a study on stderr."""

    def __init__(self, mode: Literal["live", "plain", "quiet"], total: int, missing: int) -> None:
        """Prepare the display.

        Args:
            mode: `live` draws a table, `plain` writes lines.
            total: Trials of the study.
            missing: Trials that will run.
        """
        self._console = Console(stderr=True, quiet=mode == "quiet", highlight=False, markup=False)
        self._live = Live(console=self._console, auto_refresh=False) if mode == "live" else None
        self._total, self._missing = total, missing
        self._num_ended = self._num_failed = 0
        self._elsewhere: dict[str, str] = {}
        self._start = self._next_look = time.monotonic()
        self._begun: dict[str, float] = {}
        self._work_done = 0.0

    def __enter__(self) -> Self:
        done = self._total - self._missing
        self._note(f"{self._total} trials: {done} already done, {self._missing} to run")
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.update(Table(box=None), refresh=True)
            self._live.stop()

    def tell(self, text: str) -> None:
        """Show a message about the study, unless it is empty."""
        if text:
            self._note(text)

    def started(self, trial: Trial, folder: Path) -> None:
        """Show that a trial starts or resumes."""
        self._elsewhere.pop(trial.key, None)
        self._begun.setdefault(trial.key, _share(trial, _tail(folder)))
        if self._live is None:
            self._note(f"start  {_name(trial)}")

    def ended(self, row: Row, words: str = "") -> None:
        """Show the final state of a trial, and why it is not done."""
        self._elsewhere.pop(row.trial.key, None)
        self._num_ended += 1
        self._num_failed += row.state == "failed"
        self._work_done += 1.0 - self._begun.pop(row.trial.key, 0.0)
        if row.state == "done" and row.figures is not None:
            metric = metric_of(row.figures.measure)
            words = f"{metric.label} {metric.write(row.figures.value)}"
        count = f"[{self._total - self._missing + self._num_ended}/{self._total}]"
        self._note(f"{row.state:<6} {_name(row.trial)}  {words}  {count}")

    def retried(self, trial: Trial, reason: str) -> None:
        """Show that a trial did not finish and will be retried."""
        self._note(f"retry  {_name(trial)}  {reason}")

    def elsewhere(self, trial: Trial, holder: str) -> None:
        """Show that another process is working on a trial."""
        if self._elsewhere.get(trial.key) != holder:
            self._note(f"wait   {_name(trial)}  ({holder} is working on it)")
        self._elsewhere[trial.key] = holder

    def tick(self, running: Mapping[Path, Trial]) -> None:
        """Refresh the table of running trials, at most once a second."""
        if self._live is None or time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + _SECONDS_BETWEEN_LOOKS
        self._live.update(self._table(running), refresh=True)

    def _table(self, running: Mapping[Path, Trial]) -> Table:
        table = Table(box=box.SIMPLE, caption_justify="left")
        for title in ("design", "data", "seed", "epoch", "loss", "result", "per second", "left"):
            table.add_column(title, justify="left" if title in ("design", "data") else "right")
        shares = []
        for folder, trial in running.items():
            rows = _tail(folder)
            shares.append(_share(trial, rows) - self._begun.get(trial.key, 0.0))
            names = (printable(trial.design.label), printable(trial.data), str(trial.seed))
            table.add_row(*names, *_figures(trial, rows))
        table.caption = self._caption(len(running), sum(shares))
        return table

    def _caption(self, num_running: int, work_running: float) -> str:
        elapsed = time.monotonic() - self._start
        work = self._work_done + work_running
        left = (self._missing - self._num_ended - work_running) * elapsed / work if work else 0.0
        parts = [f"{self._total - self._missing + self._num_ended} of {self._total} trials ended"]
        parts += [f"{num_running} running"]
        parts += [f"{self._num_failed} failed"] if self._num_failed else []
        parts += [f"{len(self._elsewhere)} elsewhere"] if self._elsewhere else []
        parts += [f"{format_seconds(elapsed)} elapsed"]
        parts += [f"{format_seconds(max(left, 0.0))} left"] if work else []
        return ", ".join(parts)

    def _note(self, text: str) -> None:
        self._console.print(printable(text), soft_wrap=True)


def _name(trial: Trial) -> str:
    return f"{trial.design.label}, {trial.data}, seed {trial.seed}"


def _tail(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the last line of each kind of a running trial's log."""
    try:
        with (folder / RUN / METRICS).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            lines = file.read().split(b"\n")[1 if file.tell() > _TAIL_BYTES else 0 : -1]
    except OSError:
        return {}
    rows, _ = parse_json_lines(b"\n".join(lines))
    return {kind: row for row in rows for kind, names in _SHOWN.items() if _tells(row, kind, names)}


# What is shown of a line of each kind
_SHOWN = {
    "train": ("step", "epoch", "loss", "images_per_s"),
    "epoch": ("step", "epoch", "seconds"),
}


def _tells(row: dict[str, Any], kind: str, names: tuple[str, ...]) -> bool:
    """Return whether a line is of a kind and contains its numbers."""
    return row.get("kind") == kind and all(_is_number(row.get(name)) for name in names)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and abs(value) < _HUGE and not math.isnan(value)


def _share(trial: Trial, rows: dict[str, dict[str, Any]]) -> float:
    """Return the fraction of a trial's steps that are done; 0 before its first epoch ends."""
    epoch = rows.get("epoch")
    if epoch is None or min(epoch["step"], epoch["epoch"]) < 1:
        return 0.0
    all_steps = epoch["step"] / epoch["epoch"] * trial.config.schedule.epochs
    return float(max(row["step"] for row in rows.values()) / all_steps)


def _figures(trial: Trial, rows: dict[str, dict[str, Any]]) -> tuple[str, ...]:
    """Return epoch, loss, error, images per second and time left of a running trial."""
    if not rows:
        return ("starting", "", "", "", "")
    train, epoch = rows.get("train"), rows.get("epoch")
    epochs = trial.config.schedule.epochs
    return (
        f"{max(row['epoch'] for row in rows.values())}/{epochs}",
        f"{train['loss']:.3f}" if train else "",
        _written(trial, epoch),
        f"{train['images_per_s']:,.0f}" if train else "",
        _time_left(epochs, epoch, _share(trial, rows)) if epoch else "",
    )


def _written(trial: Trial, epoch: dict[str, Any] | None) -> str:
    """Format the task's measure of the last epoch, if its line has it."""
    metric = task_kind(trial.config.task).measure
    value = None if epoch is None else epoch.get(metric.key)
    if not isinstance(value, int | float) or not _is_number(value):
        return ""
    return metric.write(value).replace(" ", "")


def _time_left(epochs: int, epoch: dict[str, Any], share: float) -> str:
    """Estimate the time left from the duration of the finished epochs."""
    seconds = epoch["seconds"] / max(1, epoch["epoch"]) * epochs * (1.0 - share)
    return format_seconds(max(0.0, seconds))
