"""The central claim on each kind of data: cardinality against width at equal multiply-adds.

    python -m bench.central_claim OUT --data series:GunPoint_TRAIN.ts volume:adrenal.npz digits

Runs the study `cardinality` for each data set, times its designs, and prints one table: mean error
of each design over the seeds, how much lower it is than with C = 1, with the 95 % interval and p
values, and the time of a training step. Finished trials are not repeated. p values are corrected by
the study within a data set, and by Holm's method over the whole table.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def run(data: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Run the study for one data set, and return its findings and times."""
    study = ["cardinality", "--scale", "small", "--data", data, "--root", str(arguments.out)]
    study += ["--seeds", *map(str, arguments.seeds)]
    if arguments.set:
        study += ["--set", *arguments.set]
    _resnext("study", "run", *study, "--jobs", str(arguments.jobs), "--threads", "1", "--quiet")
    _resnext("study", "report", *study, "--time", "--quiet")
    found: dict[str, Any] = json.loads(_resnext("study", "report", *study, "--json"))
    times = json.loads((arguments.out / found["name"] / "timing.json").read_text())
    return found | {"times": {row["label"]: row["step_ms"] for row in times}}


def _resnext(*words: str) -> str:
    command = [sys.executable, "-m", "resnext", *words]
    answer = subprocess.run(command, check=False, capture_output=True, text=True)
    if answer.returncode:
        raise SystemExit(f"{' '.join(words)}: {answer.stdout}{answer.stderr}")
    return answer.stdout


def table(findings: list[dict[str, Any]]) -> list[str]:
    """Return the table as lines of Markdown."""
    titles = ["data", "design", "multiply-adds", "error, % (seeds)", "lower than C = 1, points"]
    titles += ["p, this set", "p, all", "step, ms"]
    lines = [f"| {' | '.join(titles)} |", "|---|---|---:|---:|---:|---:|---:|---:|"]
    differences = [row for found in findings for row in found["differences"]]
    corrected = _holm([1.0 if row["p"] is None else row["p"] for row in differences])
    for row, value in zip(differences, corrected, strict=True):
        row["p_all"] = value
    for found in findings:
        against = {row["better"]: row for row in found["differences"]}
        macs = {row["design"]: row["macs"] for row in found["trials"]}
        for row in found["errors"]:
            design, deviation = row["label"], row["deviation"] or 0.0
            step_ms = found["times"][design]
            cells = [row["data"], design, f"{macs[design]:,}"]
            cells += [f"{row['mean']:.2f} ± {deviation:.2f} ({row['n']})"]
            cells += _compared(against.get(design))
            lines.append(f"| {' | '.join([*cells, f'{step_ms:.1f}'])} |")
    return lines


def _compared(row: dict[str, Any] | None) -> list[str]:
    """Return the cells of a comparison; empty for C = 1 itself."""
    if row is None:
        return ["", "", ""]
    interval = row["simultaneous_interval"] or row["interval"]
    span = "" if interval is None else f" ({interval[0]:+.2f} to {interval[1]:+.2f})"
    p = "" if row["corrected_p"] is None else f"{row['corrected_p']:.3f}"
    return [f"{row['mean']:+.2f}{span}", p, f"{row['p_all']:.3f}"]


def _holm(values: list[float]) -> list[float]:
    """Correct p values for all comparisons together (Holm 1979)."""
    order = sorted(range(len(values)), key=values.__getitem__)
    corrected, largest = [0.0] * len(values), 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(values) - rank) * values[index]))
        corrected[index] = largest
    return corrected


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", nargs="+", required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--set", nargs="*", default=[])
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    findings = [run(data, arguments) for data in arguments.data]
    for found in findings:
        print(f"{found['name']}: {found['answer']}")
    print("\n".join(table(findings)))


if __name__ == "__main__":
    main()
