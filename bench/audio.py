"""Accuracy of `resnext train --data audio:TABLE` on spoken digits without any other setting.

Two protocols on the Free Spoken Digit Dataset: the official split (recordings 0 to 4 of each digit
and speaker are for testing), and each speaker left out in turn. A tenth of the training recordings
is kept for validation and chooses nothing: the recipe keeps the last epoch.

    python bench/audio.py RECORDINGS OUT --seeds 0 1 2 --features logmel waveform

RECORDINGS holds DIGIT_SPEAKER_INDEX.wav; OUT gets tables, runs, and a row for each in
`audio.jsonl`. Runs that are there are not trained again; one that was stopped goes on.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

OFFICIAL = "official"
_NUM_TEST = 5


def write_table(recordings: Path, out: Path, held_out: str) -> Path:
    """Write the table of a protocol.

    Args:
        recordings: Folder of the files.
        out: Where the table goes.
        held_out: A speaker, or `official`.
    """
    rows = ["path,label,split"]
    for path in sorted(recordings.glob("*.wav")):
        digit, speaker, index = path.stem.split("_")
        is_test = int(index) < _NUM_TEST if held_out == OFFICIAL else speaker == held_out
        rows.append(f"{path.name},{digit},{'test' if is_test else 'train'}")
    table = out / f"{held_out}.csv"
    table.write_text("\n".join(rows) + "\n")
    return table


def call(*words: str) -> dict[str, Any]:
    """Run a command with --json in its own process, and return what it prints."""
    command = [sys.executable, "-m", "resnext", *words, "--json"]
    answer = subprocess.run(command, check=False, capture_output=True, text=True)
    if answer.returncode:
        raise SystemExit(f"{' '.join(words)}: {answer.stderr}")
    return dict(json.loads(answer.stdout))


def measure(
    arguments: argparse.Namespace, held_out: str, features: str, seed: int
) -> dict[str, Any]:
    """Train once, or go on, and evaluate on the test recordings."""
    table = write_table(arguments.recordings, arguments.out, held_out)
    run = arguments.out / f"{held_out}-{features}-{seed}"
    settings = [f"data.images={arguments.recordings.resolve()}", f"data.audio.features={features}"]
    figures = call(
        *("train", "--data", f"audio:{table}", "--out", str(run), "--continue", "--quiet"),
        *("--seed", str(seed), "--threads", str(arguments.threads), "--set", *settings),
    )
    test = call("evaluate", str(run), "--split", "test")
    return {
        "test": held_out,
        "features": features,
        "seed": seed,
        "accuracy": round(100 - test["top1_error"], 2),
        "num_test": test["num_images"],
        "epochs": figures["kept_epoch"],
        "parameters": test["parameters"],
        "macs": test["macs"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("recordings", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--features", nargs="+", default=["logmel", "waveform"])
    parser.add_argument("--tests", nargs="+", help="official or speakers; by default all")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    log = arguments.out / "audio.jsonl"
    rows = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    speakers = sorted({path.stem.split("_")[1] for path in arguments.recordings.glob("*.wav")})
    tests = arguments.tests or [OFFICIAL, *speakers]
    done = {(row["test"], row["features"], row["seed"]) for row in rows}
    for seed in arguments.seeds:
        for features in arguments.features:
            for held_out in tests:
                if (held_out, features, seed) in done:
                    continue
                row = measure(arguments, held_out, features, seed)
                rows.append(row)
                with log.open("a") as file:
                    file.write(json.dumps(row) + "\n")
                print(json.dumps(row), flush=True)
    _print_table(rows, speakers)


def _print_table(rows: list[dict[str, Any]], speakers: list[str]) -> None:
    print("| features | test | runs | accuracy, mean (least to most) |")
    print("|---|---|---|---|")
    for features in sorted({row["features"] for row in rows}):
        for name, tests in ((OFFICIAL, [OFFICIAL]), ("unseen speakers", speakers)):
            found = [
                row["accuracy"]
                for row in rows
                if row["features"] == features and row["test"] in tests
            ]
            if found:
                mean = statistics.fmean(found)
                spread = f"{mean:.1f} ({min(found):.1f} to {max(found):.1f})"
                print(f"| {features} | {name} | {len(found)} | {spread} |")


if __name__ == "__main__":
    main()
