"""Compares `resnext train` without flags with common alternatives, on real sets of photos.

Each row is one training run: a set, a seed and a program. Rows are appended to a file and existing
rows are skipped, so the comparison can be stopped and continued.

    python -m bench.first_hour.compare SETS ROWS --timm-script pytorch-image-models/train.py
    python -m bench.first_hour.compare SETS ROWS --table

SETS is the output folder of `bench.first_hour.sets`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

from bench.first_hour.contestants import Outcome, ours, plain, timm
from bench.first_hour.sets import SETS

_OURS, _PLAIN, _TIMM = "resnext train", "plain loop", "timm's script"
_NUM_SEEDS = 3


def fill(sets: Path, rows_file: Path, script: Path | None, names: list[str], seeds: range) -> None:
    """Run the missing combinations, seed by seed."""
    rows = read(rows_file)
    done = {(row["set"], row["seed"], row["program"]) for row in rows}
    reference = {(row["set"], row["seed"]): row for row in rows if row["program"] == _OURS}
    for seed in seeds:
        for name in names:
            for program in (_OURS, _PLAIN, _TIMM):
                if (name, seed, program) in done or (program == _TIMM and script is None):
                    continue
                with tempfile.TemporaryDirectory() as work:
                    first = reference.get((name, seed))
                    outcome = _run(program, sets / name, seed, first, script, Path(work))
                row = {
                    "set": name,
                    "seed": seed,
                    "program": program,
                    "test_error": round(outcome.test_error, 2),
                    "cpu_s": round(outcome.cpu_s, 1),
                    "detail": outcome.detail,
                }
                if program == _OURS:
                    reference[name, seed] = row
                with rows_file.open("a") as file:
                    file.write(json.dumps(row) + "\n")
                print(name, seed, program, row["test_error"], row["cpu_s"], flush=True)


def _run(
    program: str,
    folder: Path,
    seed: int,
    first: dict[str, Any] | None,
    script: Path | None,
    work: Path,
) -> Outcome:
    if program == _OURS:
        return ours(folder, seed, work)
    assert first is not None
    side_px, cpu_s = int(first["detail"]["image_size_px"]), float(first["cpu_s"])
    if program == _PLAIN:
        return plain(folder, seed, side_px, cpu_s)
    assert script is not None
    return timm(script, folder, seed, side_px, cpu_s, work)


def read(rows_file: Path) -> list[dict[str, Any]]:
    """Return the rows so far."""
    if not rows_file.exists():
        return []
    return [json.loads(line) for line in rows_file.read_text().splitlines()]


def table(rows: list[dict[str, Any]]) -> str:
    """Write the mean error of each program on each set as a Markdown table."""
    programs = (_OURS, _PLAIN, _TIMM)
    lines = [
        f"| set | seconds | {' | '.join(programs)} |",
        f"|---|---|{'---|' * len(programs)}",
    ]
    for name in dict.fromkeys(row["set"] for row in rows):
        here = [row for row in rows if row["set"] == name]
        seconds = [row["cpu_s"] for row in here if row["program"] == _OURS]
        cells = [
            _cell([row["test_error"] for row in here if row["program"] == program])
            for program in programs
        ]
        lines.append(f"| {name} | {statistics.mean(seconds):.0f} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(errors: list[float]) -> str:
    if not errors:
        return "-"
    spread = f", {min(errors):.1f} to {max(errors):.1f}" if len(errors) > 1 else ""
    return f"{statistics.mean(errors):.1f} % (n={len(errors)}{spread})"


def main() -> None:
    """Run the comparison, or print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", type=Path)
    parser.add_argument("rows", type=Path)
    parser.add_argument("--timm-script", type=Path)
    parser.add_argument("--only", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--seeds", type=int, default=_NUM_SEEDS)
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    if not arguments.table:
        seeds = range(arguments.seeds)
        fill(arguments.sets, arguments.rows, arguments.timm_script, arguments.only, seeds)
    print(table(read(arguments.rows)))


if __name__ == "__main__":
    main()
