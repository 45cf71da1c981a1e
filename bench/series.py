"""Measures the accuracy of `resnext train --data series:FILE` with its defaults and some seeds.

The sets have the official splits of the UCR and UEA archives. Training uses all training series and
keeps the last epoch, so that the test series select nothing.

    python bench/series.py FOLDER OUT --seeds 0 1 2

FOLDER contains NAME/NAME_TRAIN.ts and NAME/NAME_TEST.ts, as in the package aeon. The runs and
`series.jsonl`, with one line per run, are written to OUT. Existing runs are not repeated.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

# Mean accuracy in percent of the ResNet of Fawaz et al. 2019 (arXiv 1809.04356), as published.
PUBLISHED = {
    "ItalyPowerDemand": 96.3,
    "GunPoint": 99.1,
    "ArrowHead": 84.5,
    "JapaneseVowels": 99.2,
    "OSULeaf": 97.9,
}


def measure(folder: Path, out: Path, name: str, seed: int) -> dict[str, object]:
    """Train once, or read the result of an earlier call."""
    run = out / f"{name}-{seed}"
    found = run / "bench.json"
    if found.exists():
        return dict(json.loads(found.read_text()))
    data = f"series:{folder / name / f'{name}_TRAIN.ts'}"
    command = [sys.executable, "-m", "resnext", "train", "--data", data, "--out", str(run)]
    command += ["--seed", str(seed), "--threads", "1", "--quiet", "--json", "--continue"]
    started = time.perf_counter()
    answer = subprocess.run(command, check=False, capture_output=True, text=True)
    if answer.returncode:
        raise SystemExit(f"{name}, seed {seed}: {answer.stderr}")
    figures = json.loads(answer.stdout)
    row: dict[str, object] = {
        "set": name,
        "seed": seed,
        "accuracy": round(100 - figures["top1_error"], 2),
        "epochs": figures["kept_epoch"],
        "seconds": round(time.perf_counter() - started),
    }
    found.write_text(json.dumps(row))
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--sets", nargs="+", default=list(PUBLISHED))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for seed in arguments.seeds:
        for name in arguments.sets:
            row = measure(arguments.folder, arguments.out, name, seed)
            rows.append(row)
            print(json.dumps(row), flush=True)
    print("| set | n | accuracy, mean (least to most) | published | difference |")
    print("|---|---|---|---|---|")
    for name in arguments.sets:
        found = [float(str(row["accuracy"])) for row in rows if row["set"] == name]
        mean = statistics.fmean(found)
        print(
            f"| {name} | {len(found)} | {mean:.1f} ({min(found):.1f} to {max(found):.1f}) | "
            f"{PUBLISHED[name]} | {mean - PUBLISHED[name]:+.1f} |"
        )


if __name__ == "__main__":
    main()
