"""The metrics of a run: JSON lines and TensorBoard events."""

from __future__ import annotations

import itertools
import json
import logging
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resnext.errors import RunError
from resnext.files import write_whole
from resnext.runs.folder import METRICS
from resnext.tasks.kinds import task_kind, task_names
from resnext.untrusted.parse import parse_json, read_bytes

if TYPE_CHECKING:
    from resnext.runs.tensorboard_file import TensorBoardFile

_LOG = logging.getLogger(__name__)
_MAX_BYTES = 2**30
_DAMAGED = "metrics.damaged"
_MAX_FIGURE = 1e300


class MetricsLog:
    """Appends metrics to `metrics.jsonl` and to the TensorBoard events of a run."""

    def __init__(self, run: Path, total_steps: int) -> None:
        """Open the log at the point where a run resumes; later lines are dropped.

        Unreadable lines are dropped too, and a copy of the original log is kept.

        Args:
            run: The run folder.
            total_steps: Optimiser steps done so far; 0 for a new run.

        Raises:
            RunError: The log cannot be read.
            OSError: It cannot be written.
        """
        self._file = run / METRICS
        self._tensorboard_folder = run / "tensorboard"
        self._total_steps = total_steps
        self._writer: TensorBoardFile | None = None
        _cut_back(self._file, total_steps)

    def write(self, kind: str, total_steps: int, **figures: Any) -> None:
        """Add one line: a `train` interval or an `epoch`.

        Raises:
            OSError: It cannot be written.
        """
        line = json.dumps({"kind": kind, "step": total_steps, **figures})
        with self._file.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        for name, value in figures.items():
            if isinstance(value, float):
                self._tensorboard().add(f"{kind}/{name}", value, total_steps)

    def close(self) -> None:
        """Close the TensorBoard events."""
        if self._writer is not None:
            self._writer.close()

    def _tensorboard(self) -> TensorBoardFile:
        if self._writer is None:
            # slow to import: main process only
            from resnext.runs.tensorboard_file import TensorBoardFile

            self._writer = TensorBoardFile(self._tensorboard_folder, self._total_steps + 1)
        return self._writer


def read_metrics(run: Path) -> list[dict[str, Any]]:
    """Return the lines of a run's log, without an unfinished last line.

    Unreadable or incomplete lines are skipped, and their number is logged.

    Raises:
        RunError: The file cannot be read.
    """
    rows, num_bad = _read(run / METRICS)
    if num_bad:
        _LOG.warning("%s: skipped %d unreadable line(s)", run / METRICS, num_bad)
    return rows


def _read(file: Path) -> tuple[list[dict[str, Any]], int]:
    """Return the valid lines and the number of others."""
    try:
        lines = read_bytes(file, _MAX_BYTES).split(b"\n")[:-1]
    except FileNotFoundError:
        return [], 0
    except (OSError, ValueError) as error:
        raise RunError(
            f"cannot read {file}: {getattr(error, 'strerror', None) or error}; move it away (the "
            "run works without it)"
        ) from None
    rows = [row for line in lines if (row := _parse(line)) is not None]
    return rows, len(lines) - len(rows)


def _parse(line: bytes) -> dict[str, Any] | None:
    """Return a line of the log; None if it is damaged."""
    try:
        row = parse_json(line)
    except ValueError:
        return None
    if not isinstance(row, dict) or not isinstance(row.get("kind"), str):
        return None
    figures = {name: value for name, value in row.items() if name != "kind"}
    is_good = (
        all(type(figures.get(name, 1)) is int for name in ("step", "epoch"))
        and figures.get("step", -1) >= 0
        and figures.get("epoch", 1) >= 1
        and all(value is None or _is_number(value) for value in figures.values())
        and (row["kind"] != "epoch" or _is_epoch(figures))
    )
    return row if is_good else None


def _is_epoch(figures: dict[str, Any]) -> bool:
    """Return whether a line has what an epoch needs: its number and a task's measure."""
    keys = [task_kind(name).measure.key for name in task_names()]
    return "epoch" in figures and any(figures.get(key) is not None for key in keys)


def _is_number(value: object) -> bool:
    return isinstance(value, float) or (type(value) is int and abs(value) < _MAX_FIGURE)


def _cut_back(file: Path, total_steps: int) -> None:
    """Truncate the log at a checkpoint, so that no step is logged twice."""
    rows, num_bad = _read(file)
    if num_bad:
        kept = _keep_damaged(file)
        _LOG.warning("%s: %d unreadable line(s); original kept as %s", file, num_bad, kept.name)
    if file.exists():
        kept_rows = [row for row in rows if row["step"] <= total_steps]
        write_whole(file, "".join(json.dumps(row) + "\n" for row in kept_rows))


def _keep_damaged(file: Path) -> Path:
    """Copy the log to an unused name."""
    for number in itertools.count(1):
        copy = file.with_name(f"{_DAMAGED}{'' if number == 1 else f'-{number}'}.jsonl")
        if not copy.exists():
            shutil.copyfile(file, copy)
            return copy
    raise AssertionError("unreachable: the numbers never end")
