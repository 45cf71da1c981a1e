"""Damaged files of a run folder: settings, log, figures, surroundings, checkpoint."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from counts import Counts
from mutation import mutate

from resnext.errors import ResNeXtError
from resnext.evaluation.report import render_report
from resnext.runs.folder import open_run
from resnext.runs.metrics_log import read_metrics

_FRAGMENTS = (
    b"&a [*a]",
    b"? [1, 2]\n: 3\n",
    b"1: 2\n",
    b"9" * 5000,
    b"2024-02-31",
    b"!!python/object/apply:os.system ['x']",
    b"[" * 3000,
    b"{" * 3000,
    b"\x00",
    b"\xff",
    b"\x1b[2J",
    b"\nnull\n",
    b"\n[]\n",
    b'\n{"kind": 3}\n',
    b'{"kind": "epoch", "step": "x"}\n',
    b'"\\ud800"',
    b"1e999",
    b"-0",
)
_REPORT_EVERY = 50  # it draws plots, which takes half a second


def _settings(run: Path) -> None:
    open_run(run)


def _log(run: Path) -> None:
    read_metrics(run)


def _report(run: Path) -> None:
    render_report(run)


READERS: dict[str, tuple[Callable[[Path], None], ...]] = {
    "config.yaml": (_settings,),
    "metrics.jsonl": (_log,),
    "environment.json": (),
    "bad_files.json": (),
}


def damage_runs(run: Path, name: str, num_files: int, seed: int) -> Counts:
    """Damage one file of a run many times and read the run each time.

    Args:
        run: A run folder, which is whole again afterwards.
        name: The file.
        num_files: Times; fewer for a file that only the report reads.
        seed: Decides the damage.
    """
    counts = Counts(f"run {name}")
    if not READERS[name]:
        num_files = max(num_files // _REPORT_EVERY, 5)
    whole = (run / name).read_bytes()
    for number in range(num_files):
        rng = random.Random(f"{seed} {name} {number}")
        (run / name).write_bytes(mutate(whole, rng, _FRAGMENTS))
        readers = READERS[name]
        if not readers or number % _REPORT_EVERY == 0:
            readers = (*readers, _report)

        def use(readers: tuple[Callable[[Path], None], ...] = readers) -> None:
            for read in readers:
                read(run)

        counts.add(f"seed {seed}, number {number}", use, ResNeXtError)
    (run / name).write_bytes(whole)
    return counts
