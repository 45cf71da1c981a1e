"""Measures the value of trained weights on another data set: from scratch, frozen, fine-tuned.

A small ResNeXt is trained on a source. Then, on a target with other photos, the same network is
trained from scratch and from those weights, and classifiers are fitted to its frozen features, and
to those of random weights. Both kinds of training try the same learning rates; the rate with the
lowest mean error on the target's val/ is used, and errors are those on test/. All numbers come from
the package's own commands. Finished runs are not repeated.

    python -m bench.transfer --source tiny-imagenet-10 --target clothing-10-160
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

NETWORK = "resnext14_8x4d"
WIDTHS = ("model.stem_width=32", "model.stage_widths=[64, 128, 256, 512]")
SOURCE = ("--image-size", "64", "--epochs", "40")
TARGET = ("--image-size", "96", "--epochs", "20")
RATES = (0.8, 0.2, 0.05)


@dataclass(frozen=True)
class Bench:
    """The folders and settings.

    Attributes:
        source: Folder of the source's train/ and val/.
        target: Folder of the target's train/ and val/.
        test: The same with test/ in place of val/.
        out: Folder for the runs and results.
        threads: CPU threads of one run.
    """

    source: Path
    target: Path
    test: Path
    out: Path
    threads: int

    def train(self, name: str, data: Path, *flags: str) -> Path:
        """Train one run unless it exists, and return its folder."""
        run = self.out / name
        if (run / "report.html").exists():
            return run
        if (run / "last.safetensors").exists():
            call("train", "--resume", str(run), "--quiet")
            return run
        call(
            *("train", "--data", str(data), "--out", str(run), "--quiet"),
            *("--threads", str(self.threads), "--workers", "0", *flags, "keep=last"),
        )
        return run

    def error(self, run: Path, data: Path) -> float:
        """Return a run's top-1 error in percent on the validation split of a folder."""
        record = run / f"error-{data.name}.json"
        if not record.exists():
            call("evaluate", str(run), "--data", str(data), "--quiet", "--out", str(record))
        return float(json.loads(record.read_text())["top1_error"])

    def probes(self, run: Path) -> dict[str, float]:
        """Return the test error of classifiers on a network's frozen features."""
        record = run.parent / f"{run.name}-probes.json"
        if not record.exists():
            record.write_text(call("probe", str(run), str(self.test), "--json", "--workers", "0"))
        return {row["method"]: row["top1_error"] for row in json.loads(record.read_text())}


def call(*arguments: str) -> str:
    """Run one of the package's commands, and return its output."""
    command = [sys.executable, "-m", "resnext", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def run_seed(bench: Bench, seed: int) -> dict[str, dict[str, float]]:
    """Return test and val errors of every method for one seed."""
    common = ("--model", NETWORK, "--seed", str(seed))
    pretrained = bench.train(f"source-s{seed}", bench.source, *common, *SOURCE, "--set", *WIDTHS)
    untrained = bench.train(
        f"untrained-s{seed}", bench.source, *common, *SOURCE[:2], "--epochs", "1",
        "--set", *WIDTHS, "optim.lr=1e-12", "ema_decay=null",
    )  # fmt: skip
    errors = {}
    for name, run in (("pre-trained", pretrained), ("random", untrained)):
        for method, error in bench.probes(run).items():
            errors[f"{method} on {name} features"] = {"test": error}
    for rate in RATES:
        flags = (*common, *TARGET, "--lr", str(rate))
        runs = {
            "from scratch": bench.train(
                f"scratch-{rate}-s{seed}", bench.target, *flags, "--set", *WIDTHS
            ),
            "fine-tuned": bench.train(
                f"tuned-{rate}-s{seed}",
                bench.target,
                *(*flags, "--recipe", "fast", "--weights", str(pretrained)),
                *("--set", *WIDTHS),
            ),
        }
        for way, run in runs.items():
            errors[f"{way}, lr {rate}"] = {
                "val": bench.error(run, bench.target),
                "test": bench.error(run, bench.test),
            }
    errors["source"] = {"val": bench.error(pretrained, bench.source)}
    return errors


def report(rows: list[dict[str, dict[str, float]]]) -> None:
    """Print each method's errors over the seeds, and the learning rate chosen on val/."""
    for way in rows[0]:
        for split in rows[0][way]:
            values = [row[way][split] for row in rows]
            spread = statistics.stdev(values) if len(values) > 1 else float("nan")
            listed = "  ".join(f"{value:6.2f}" for value in values)
            mean = statistics.mean(values)
            print(f"{way:36s} {split:5s} {mean:6.2f} +- {spread:4.2f}   {listed}")
    for way in ("from scratch", "fine-tuned"):
        means = {
            rate: statistics.mean(row[f"{way}, lr {rate}"]["val"] for row in rows) for rate in RATES
        }
        print(f"{way}: val/ chooses lr {min(means, key=lambda rate: means[rate])}")


def main() -> None:
    """Train missing runs and print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=Path, required=True, help="folder with train/ and val/")
    parser.add_argument("--target", type=Path, required=True, help="train/, val/ and test/")
    parser.add_argument("--out", type=Path, default=Path("runs/bench-transfer"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    test = arguments.out / "test-in-place-of-val"
    test.mkdir(parents=True, exist_ok=True)
    for link, part in (("train", "train"), ("val", "test")):
        if not (test / link).exists():
            (test / link).symlink_to((arguments.target / part).resolve())
    bench = Bench(arguments.source, arguments.target, test, arguments.out, arguments.threads)
    rows = []
    for seed in range(arguments.seeds):
        rows.append(run_seed(bench, seed))
        print(f"seed {seed} done", flush=True)
    report(rows)


if __name__ == "__main__":
    main()
