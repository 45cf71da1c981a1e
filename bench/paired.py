"""Trainings of two programs in pairs: rows in a file, and the interval of their difference."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from scipy.stats import t

_THREADS = "1"
_USELESS = 3
"""Exit status of `resnext train` for a network that is no better than guessing: a result too."""


def run_python(*words: str) -> str:
    """Run Python with one thread, and return its output.

    Raises:
        RuntimeError: It failed.
    """
    done = subprocess.run(
        [sys.executable, *words],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": _THREADS},
        check=False,
    )
    if done.returncode not in (0, _USELESS):
        raise RuntimeError(f"{words}: status {done.returncode}\n{done.stderr[-3000:]}")
    return done.stdout


def read_rows(file: Path) -> list[dict[str, Any]]:
    """Return the rows so far."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def add_row(file: Path, row: dict[str, Any]) -> None:
    """Add a row to a file, and print it."""
    with file.open("a") as rows:
        rows.write(json.dumps(row) + "\n")
    print(json.dumps(row), flush=True)


def write_pairs(rows: list[dict[str, Any]], programs: tuple[str, str], measure: str) -> str | None:
    """Write n, both means and the interval of their difference as cells of a Markdown table.

    Args:
        rows: Of one case: a program, a seed and figures each.
        programs: Ours and the peer.
        measure: The figure.

    Returns:
        The cells; None without a seed that both programs have.
    """
    ours, peer = (
        {row["seed"]: row[measure] for row in rows if row["program"] == program}
        for program in programs
    )
    seeds = sorted(ours.keys() & peer.keys())
    if not seeds:
        return None
    means = [f"{statistics.mean(side[seed] for seed in seeds):.1f}" for side in (ours, peer)]
    interval = write_interval([ours[seed] - peer[seed] for seed in seeds])
    return " | ".join([str(len(seeds)), *means, interval])


def write_interval(differences: list[float]) -> str:
    """Write the mean of paired differences with Student's 95 % interval."""
    mean = statistics.mean(differences)
    if len(differences) < 2:
        return f"{mean:+.1f}"
    error = statistics.stdev(differences) / len(differences) ** 0.5
    half = float(t.ppf(0.975, len(differences) - 1)) * error
    return f"{mean:+.1f} ({mean - half:+.1f} to {mean + half:+.1f})"
