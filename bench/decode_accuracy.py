"""Measures whether fast decoding costs accuracy: the same training with both `data.decode`s.

Fast decoding skips rows that a crop does not need and decodes at a half, a quarter or an eighth of
the size if the crop allows it, which changes pixels slightly. Images are used at less than half
their size, so that this happens. All numbers come from the package's own commands; existing runs
are not repeated.

    python -m bench.decode_accuracy clothing-10-160:64 tiny-imagenet-10:32
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
from pathlib import Path

from scipy import stats

NETWORK = ("--model", "resnext14_8x4d")
WIDTHS = ("model.stem_width=32", "model.stage_widths=[64, 128, 256, 512]", "keep=last")
DECODINGS = ("fast", "exact")


def error(data: Path, size_px: int, decode: str, seed: int, arguments: argparse.Namespace) -> float:
    """Train one run unless it exists, and return its top-1 error in percent."""
    run = arguments.out / f"{data.name}-{size_px}-{decode}-s{seed}"
    if not (run / "evaluation.json").exists():
        flags = ["--resume", str(run)]
        if not (run / "last.safetensors").exists():
            flags = [
                *("--data", str(data), "--out", str(run), "--image-size", str(size_px), *NETWORK),
                *("--epochs", str(arguments.epochs), "--seed", str(seed), "--threads", "1"),
                *("--workers", "0", "--set", f"data.decode={decode}", *WIDTHS),
            ]
        command = [sys.executable, "-m", "resnext", "train", "--quiet", *flags]
        subprocess.run(command, check=True)
    return float(json.loads((run / "evaluation.json").read_text())["top1_error"])


def compare(data: Path, size_px: int, arguments: argparse.Namespace) -> None:
    """Print the errors with both settings and the interval of their paired difference."""
    errors = {
        decode: [error(data, size_px, decode, seed, arguments) for seed in range(arguments.seeds)]
        for decode in DECODINGS
    }
    for decode, values in errors.items():
        listed = "  ".join(f"{value:6.2f}" for value in values)
        spread = statistics.stdev(values)
        print(
            f"{data.name} {size_px} px, {decode:6s}"
            f"{statistics.mean(values):6.2f} +- {spread:4.2f}   {listed}"
        )
    pairs = zip(errors["fast"], errors["exact"], strict=True)
    differences = [fast - exact for fast, exact in pairs]
    mean, num = statistics.mean(differences), len(differences)
    half = stats.t.ppf(0.975, num - 1) * statistics.stdev(differences) / math.sqrt(num)
    print(
        f"fast minus exact {mean:+.2f} points, "
        f"95 % interval {mean - half:+.2f} to {mean + half:+.2f}"
    )


def main() -> None:
    """Train missing runs and print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "data", nargs="+", help="FOLDER:PIXELS, a folder with train/ and val/, and the image side"
    )
    parser.add_argument("--out", type=Path, default=Path("runs/bench-decode-accuracy"))
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    for text in arguments.data:
        folder, _, size_px = text.rpartition(":")
        compare(Path(folder), int(size_px), arguments)


if __name__ == "__main__":
    main()
