"""Accuracy of `resnext train --data text:...` without any other setting, over several seeds.

Training takes all training texts from scratch and keeps the last epoch; the test texts choose
nothing. TREC has 6 classes of questions (official test of 500), SST-2 positive and negative
sentences (1,821; trained on whole sentences only).

    python bench/text.py TREC SST2 OUT --seeds 0 1 2

TREC is the folder of TREC.train and TREC.test (Latin-1, `CLASS:fine question`), SST2 that of
train.tsv, dev.tsv and test.tsv with the columns sentence and label. OUT gets the runs and
`text.jsonl`, a line for each run. Runs that are in it are not trained again, and a run that was
interrupted is resumed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

# Accuracy in percent that a network from scratch should reach.
TARGETS = {"trec": 85.0, "sst2": 78.0}
UNITS = ("word", "character")


def write_trec(source: Path, folder: Path) -> Path:
    """Write train.tsv and test.tsv with the six coarse classes, and return their folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for split in ("train", "test"):
        rows = ["label\ttext"]
        for line in (source / f"TREC.{split}").read_bytes().decode("latin-1").split("\n"):
            if line.strip():
                label, text = line.split(" ", 1)
                rows.append(f"{label.partition(':')[0]}\t{text.strip()}")
        (folder / f"{split}.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def measure(data: Path, out: Path, name: str, unit: str, seed: int) -> dict[str, object]:
    """Train once, and evaluate on the test split."""
    run = out / f"{name}-{unit}-{seed}"
    command = [sys.executable, "-m", "resnext"]
    train = [*command, "train", "--data", f"text:{data}", "--out", str(run), "--continue"]
    train += ["--seed", str(seed), "--threads", "1", "--quiet", "--set", f"data.unit={unit}"]
    started = time.perf_counter()
    _run(train)
    seconds = time.perf_counter() - started
    split = "test" if (data / "dev.tsv").exists() else "val"  # without dev, test validates
    figures = json.loads(_run([*command, "evaluate", str(run), "--split", split, "--json"]))
    return {
        "set": name,
        "unit": unit,
        "seed": seed,
        "accuracy": round(100 - figures["top1_error"], 2),
        "num_test": figures["num_images"],
        "parameters": figures["parameters"],
        "seconds": round(seconds),
    }


def _run(command: list[str]) -> str:
    answer = subprocess.run(command, check=False, capture_output=True, text=True)
    if answer.returncode:
        raise SystemExit(f"{' '.join(command)}: {answer.stderr}")
    return answer.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("trec", type=Path)
    parser.add_argument("sst2", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--sets", nargs="+", choices=list(TARGETS), default=list(TARGETS))
    parser.add_argument("--units", nargs="+", choices=UNITS, default=list(UNITS))
    arguments = parser.parse_args()
    record = arguments.out / "text.jsonl"
    folders = {"trec": write_trec(arguments.trec, arguments.out / "trec"), "sst2": arguments.sst2}
    rows = [json.loads(line) for line in record.open()] if record.exists() else []
    done = {(row["set"], row["unit"], row["seed"]) for row in rows}
    for seed in arguments.seeds:
        for name in arguments.sets:
            for unit in arguments.units:
                if (name, unit, seed) not in done:
                    rows.append(measure(folders[name], arguments.out, name, unit, seed))
                    with record.open("a") as file:
                        file.write(json.dumps(rows[-1]) + "\n")
                    print(json.dumps(rows[-1]), flush=True)
    print("| set | unit | n | accuracy, mean (least to most) | target |")
    print("|---|---|---|---|---|")
    for name in TARGETS:
        for unit in UNITS:
            found = [r["accuracy"] for r in rows if (r["set"], r["unit"]) == (name, unit)]
            if found:
                spread = f"{min(found):.1f} to {max(found):.1f}"
                mean = f"{statistics.fmean(found):.1f} ({spread})"
                print(f"| {name} | {unit} | {len(found)} | {mean} | {TARGETS[name]} |")


if __name__ == "__main__":
    main()
