"""Compares the `fast` recipe with the paper's CIFAR recipe in a few epochs of Fashion-MNIST.

Both train the same network with the same precision and threads, alternating over the seeds.
Finished runs are not repeated.

    python -m bench.fashion_mnist --root FOLDER --epochs 6
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from pathlib import Path

from resnext.runs.folder import LAST
from resnext.runs.metrics_log import read_metrics

RECIPES = ("fast", "cifar")
NETWORK = "resnext_1-1-1_8x4d_cifar"
WIDTHS = ("model.stem_width=16", "model.stage_widths=[64, 128, 256]")
MARKS = (8.0, 7.0)  # top-1 error in percent: 92 % and 93 % accuracy


def train(recipe: str, seed: int, arguments: argparse.Namespace) -> Path:
    """Train one run unless it exists, and return its folder."""
    run = Path(arguments.out) / f"{recipe}-{arguments.epochs}-seed{seed}"
    verb = [sys.executable, "-m", "resnext", "train"]
    if (run / "report.html").exists():
        return run
    if (run / LAST).exists():
        subprocess.run([*verb, "--resume", str(run), "--quiet"], check=True)
        return run
    subprocess.run(
        [
            *verb,
            *("--data", f"fashion-mnist:{arguments.root}", "--model", NETWORK),
            *("--recipe", recipe, "--epochs", str(arguments.epochs), "--seed", str(seed)),
            *("--threads", str(arguments.threads), "--out", str(run), "--quiet"),
            *("--set", *WIDTHS),
        ],
        check=True,
    )
    return run


def epochs_of(run: Path) -> list[tuple[float, float]]:
    """Return, for each epoch, the seconds of training so far and the test error in percent."""
    rows = [row for row in read_metrics(run) if row["kind"] == "epoch"]
    return [(row["seconds"], row["top1_error"]) for row in rows]


def first_below(epochs: list[tuple[float, float]], mark: float) -> float | None:
    """Return the seconds at which the error first falls below a mark."""
    return next((seconds for seconds, error in epochs if error < mark), None)


def report(runs: dict[str, list[Path]]) -> None:
    """Print, for each recipe, error against time and the first time below each mark."""
    for recipe, folders in runs.items():
        curves = [epochs_of(folder) for folder in folders]
        final = [curve[-1][1] for curve in curves]
        spread = statistics.stdev(final) if len(final) > 1 else float("nan")
        print(
            f"\n{recipe}: last epoch {statistics.mean(final):.2f} +- {spread:.2f} %, n={len(final)}"
        )
        for number in range(len(curves[0])):
            seconds = statistics.mean(curve[number][0] for curve in curves)
            errors = "  ".join(f"{curve[number][1]:6.2f}" for curve in curves)
            print(f"  epoch {number + 1:2d}  {seconds:7.1f} s  {errors}")
        for mark in MARKS:
            times = [first_below(curve, mark) for curve in curves]
            shown = ", ".join("never" if t is None else f"{t:.0f} s" for t in times)
            print(f"  first past {100 - mark:.0f} %: {shown}")


def main() -> None:
    """Train missing runs and print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", required=True, help="folder with the official files")
    parser.add_argument("--out", default="runs/bench-fashion-mnist")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    runs: dict[str, list[Path]] = {recipe: [] for recipe in RECIPES}
    for seed in range(arguments.seeds):
        for recipe in RECIPES:
            runs[recipe].append(train(recipe, seed, arguments))
            print(f"{runs[recipe][-1]}: {epochs_of(runs[recipe][-1])[-1]}", flush=True)
    report(runs)


if __name__ == "__main__":
    main()
