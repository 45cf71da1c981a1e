"""Compares training with two processes of one thread and one process of two threads.

Both use the package's own command with the same global batch, the former through torchrun; they
alternate. The rates are those logged by the runs: images per second over the training steps of an
epoch, without the first epoch.

    python -m bench.processes clothing-10-160 --pairs 5
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

STEPS, EPOCHS = 8, 4
SIDES = {
    "one process, two threads": ("-m", "resnext"),
    "two processes, a thread each": (
        *("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
        *("-m", "resnext"),
    ),
}
THREADS = {"one process, two threads": "2", "two processes, a thread each": "1"}


def images_per_s(side: str, arguments: argparse.Namespace) -> float:
    """Train a few steps in a new run, and return the median rate of its later epochs."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        command = [
            *(sys.executable, *SIDES[side], "train", "--quiet"),
            *("--data", str(arguments.data), "--out", str(run), "--model", arguments.network),
            *("--image-size", str(arguments.size), "--epochs", str(EPOCHS)),
            *("--batch-size", str(arguments.batch), "--threads", THREADS[side], "--workers", "0"),
            *("--set", f"data.num_train={STEPS * arguments.batch}", "size_schedule=[1.0]"),
        ]
        subprocess.run(command, check=True, capture_output=True)
        lines = (run / "metrics.jsonl").read_text().splitlines()
    rows = [row for row in map(json.loads, lines) if row["kind"] == "train" and row["epoch"] > 1]
    assert len(rows) == EPOCHS - 1, rows
    return float(statistics.median(row["images_per_s"] for row in rows))


def main() -> None:
    """Print every pair and the median of their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder with train/ and val/")
    parser.add_argument("--network", default="resnext50_32x4d")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--pairs", type=int, default=5)
    arguments = parser.parse_args()
    one, two = SIDES
    ratios = []
    for number in range(arguments.pairs):
        order = (one, two) if number % 2 == 0 else (two, one)
        rates = {side: images_per_s(side, arguments) for side in order}
        ratios.append(rates[two] / rates[one])
        told = ", ".join(f"{side} {rates[side]:.1f} images/s" for side in SIDES)
        print(f"{told}: {ratios[-1]:.3f}", flush=True)
    print(f"median {statistics.median(ratios):.3f}, {min(ratios):.3f} to {max(ratios):.3f}")


if __name__ == "__main__":
    main()
