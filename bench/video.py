"""Accuracy on videos of a network of three dimensions, and of one of two with pooling over time.

Both are trained from scratch with the recipe of `resnext train --data video:FOLDER`, on the same
clips; the last epoch is kept, and nothing is chosen on the validation videos.

    python bench/video.py FOLDER OUT --seeds 0 1 2 --set data.frames=8 data.image_size_px=64

FOLDER has train/CLASS and val/CLASS; OUT gets the runs and `video.jsonl`, a line for each run.
Runs that are in it are not trained again, and a run that was interrupted is resumed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

NETWORKS = {"3-D": (), "2-D pooled": ("model.ndim=2", "model.pool_time=true")}


def measure(
    folder: Path, out: Path, network: str, seed: int, settings: list[str]
) -> dict[str, object]:
    """Train once, and evaluate on the validation videos."""
    run = out / f"{network.replace(' ', '-')}-{seed}"
    command = [sys.executable, "-m", "resnext", "train", "--data", f"video:{folder}"]
    command += ["--out", str(run), "--continue", "--seed", str(seed), "--threads", "1", "--quiet"]
    started = time.perf_counter()
    answer = subprocess.run(
        [*command, "--json", "--set", *settings, *NETWORKS[network]],
        check=False,
        capture_output=True,
        text=True,
    )
    if not answer.stdout:
        raise SystemExit(f"{network}, seed {seed}: {answer.stderr}")
    figures = json.loads(answer.stdout)
    return {
        "network": network,
        "seed": seed,
        "accuracy": round(100 - figures["top1_error"], 2),
        "num_val": figures["num_images"],
        "parameters": figures["parameters"],
        "macs": figures["macs"],
        "seconds": round(time.perf_counter() - started),
        "settings": settings,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--networks", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--set", nargs="+", default=[])
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    record = arguments.out / "video.jsonl"
    rows = [json.loads(line) for line in record.open()] if record.exists() else []
    done = {(row["network"], row["seed"]) for row in rows}
    for seed in arguments.seeds:
        for network in arguments.networks:
            if (network, seed) not in done:
                row = measure(arguments.folder, arguments.out, network, seed, arguments.set)
                rows.append(row)
                with record.open("a") as file:
                    file.write(json.dumps(row) + "\n")
                print(json.dumps(row), flush=True)
    print("| network | n | accuracy, mean (least to most) | multiply-adds | seconds |")
    print("|---|---|---|---|---|")
    for network in NETWORKS:
        found = [row for row in rows if row["network"] == network]
        if found:
            values = [row["accuracy"] for row in found]
            spread = f"{min(values):.1f} to {max(values):.1f}"
            seconds = statistics.fmean(row["seconds"] for row in found)
            print(
                f"| {network} | {len(found)} | {statistics.fmean(values):.1f} ({spread}) | "
                f"{found[0]['macs'] / 1e6:.0f} M | {seconds:.0f} |"
            )


if __name__ == "__main__":
    main()
