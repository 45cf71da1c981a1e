"""Measures how the spinning of threads at barriers affects training, with and without other load.

PyTorch's threads (GNU OpenMP) wait for each other some hundred times per training step, and spin
while they wait. If another process occupies one of the cores, a spinning thread blocks the core
that the awaited thread needs. Both sides run the package's own command alternately; they differ in
GOMP_SPINCOUNT, whose default in the library is 300,000.

    python -m bench.spinning --pairs 5
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

LIBRARY, EPOCHS = 300_000, 3


def seconds_per_image(spins: int, arguments: argparse.Namespace) -> float:
    """Train a few steps in a new run, and return the median time of its later epochs."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        command = [
            *(sys.executable, "-m", "resnext", "train", "--quiet", "--data", "digits"),
            *("--out", str(run), "--epochs", str(EPOCHS), "--workers", "0"),
            *("--batch-size", str(arguments.batch)),
            *(("--model", arguments.network) if arguments.network else ()),
            *("--image-size", str(arguments.size), "--threads", str(arguments.threads)),
            *("--set", f"data.num_train={arguments.steps * arguments.batch}"),
        ]
        environment = os.environ | {"GOMP_SPINCOUNT": str(spins)}
        subprocess.run(command, check=True, capture_output=True, env=environment)
        lines = (run / "metrics.jsonl").read_text().splitlines()
    rows = [row for row in map(json.loads, lines) if row["kind"] == "train" and row["epoch"] > 1]
    return float(statistics.median(1 / row["images_per_s"] for row in rows))


def compare(busy: int, arguments: argparse.Namespace) -> None:
    """Print the median ratio of times with a number of other busy processes."""
    hog = [sys.executable, "-c", "while True: pass"]
    # another session, like another terminal: the kernel shares the cores between sessions
    hogs = [subprocess.Popen(hog, start_new_session=True) for _ in range(busy)]
    ratios = []
    try:
        for number in range(arguments.pairs):
            order = (LIBRARY, arguments.spins) if number % 2 else (arguments.spins, LIBRARY)
            times = {spins: seconds_per_image(spins, arguments) for spins in order}
            ratios.append(times[arguments.spins] / times[LIBRARY])
    finally:
        for process in hogs:
            process.kill()
    print(
        f"{arguments.network or 'demo network'} at {arguments.size} px, {busy} busy processes, "
        f"{arguments.spins} spins / {LIBRARY}: {statistics.median(ratios):.3f} "
        f"({min(ratios):.3f} to {max(ratios):.3f}, n={len(ratios)})",
        flush=True,
    )


def main() -> None:
    """Compare with no and with one other busy process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", help="by default that of the demo")
    parser.add_argument("--size", type=int, default=8)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--spins", type=int, default=1000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--busy", type=int, nargs="+", default=[0, 1])
    arguments = parser.parse_args()
    for busy in arguments.busy:
        compare(busy, arguments)


if __name__ == "__main__":
    main()
