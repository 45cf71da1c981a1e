"""The three programs of the comparison, each run in its own process on one thread.

`resnext train` runs without flags that affect training. The others train for as long as it did, at
the image size that it chose:

- a typical hand-written training loop (`bench.first_hour.plain_loop`);
- timm's training script with its defaults, except for what any user would change: ResNet-18 instead
  of ResNet-50 at 224 px, and as many epochs as the time allows. The script is in timm's repository,
  not in the package.

Time is CPU time including workers, so that other work on the machine does not count.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

THREADS = 1


@dataclass(frozen=True)
class Outcome:
    """The result of one training run.

    Attributes:
        test_error: Top-1 error on the test images in percent, with the kept weights.
        cpu_s: CPU time of the training.
        detail: Details reported by the program.
    """

    test_error: float
    cpu_s: float
    detail: dict[str, object]


def ours(folder: Path, seed: int, work: Path) -> Outcome:
    """Train with `resnext train` and its defaults, and evaluate on the test split."""
    run = work / "run"
    shutil.rmtree(run, ignore_errors=True)
    settings = [f"seed={seed}", f"runtime.threads={THREADS}", "data.workers=0"]
    words = ["train", "--data", folder, "--out", run, "--quiet", "--json", "--set", *settings]
    # status 3: the program itself reports that the network learned nothing useful
    output, cpu_s = _timed("-m", "resnext", *words, accepted=(0, 3))
    detail = json.loads(output)
    data = yaml.safe_load((run / "config.yaml").read_text())["data"]
    detail["image_size_px"] = data["image_size_px"]
    words = ["evaluate", run, "--split", "test", "--json"]
    output, _ = _timed("-m", "resnext", *words)
    return Outcome(json.loads(output)["top1_error"], cpu_s, detail)


def plain(folder: Path, seed: int, side_px: int, cpu_s: float) -> Outcome:
    """Train with the hand-written loop."""
    words = ["--size", side_px, "--cpu-seconds", cpu_s, "--seed", seed, "--threads", THREADS]
    output, used_s = _timed("-m", "bench.first_hour.plain_loop", folder, *words)
    detail = json.loads(output)
    return Outcome(detail.pop("test_error"), used_s, detail)


def timm(script: Path, folder: Path, seed: int, side_px: int, cpu_s: float, work: Path) -> Outcome:
    """Train with timm's script, after two short runs that measure the time of an epoch."""
    times = [_timm_run(script, folder, seed, side_px, epochs, work) for epochs in (1, 3)]
    epoch_s = (times[1] - times[0]) / 2
    epochs = max(1, round((cpu_s - times[0]) / epoch_s) + 1)
    used_s = _timm_run(script, folder, seed, side_px, epochs, work)
    best = work / "timm/run/model_best.pth.tar"
    words = [folder, "--size", side_px, "--evaluate", best, "--threads", THREADS]
    output, _ = _timed("-m", "bench.first_hour.plain_loop", *words)
    return Outcome(json.loads(output)["test_error"], used_s, {"epochs": epochs})


def _timm_run(
    script: Path, folder: Path, seed: int, side_px: int, epochs: int, work: Path
) -> float:
    shutil.rmtree(work / "timm", ignore_errors=True)
    num_classes = sum(path.is_dir() for path in (folder / "train").iterdir())
    num_train = sum(path.is_file() for path in (folder / "train").rglob("*"))
    words = [
        *("--data-dir", folder, "--val-split", "val", "--num-classes", num_classes),
        *("--model", "resnet18", "--img-size", side_px, "--epochs", epochs),
        *("--output", work / "timm", "--experiment", "run", "--seed", seed),
        *("--device", "cpu", "--workers", 1, "--no-prefetcher"),
    ]
    if num_train < 128:  # its default batch size; it drops partial batches
        words += ["--batch-size", num_train // 2]
    _, cpu_s = _timed(script, *words)
    return cpu_s


def _timed(*words: object, accepted: tuple[int, ...] = (0,)) -> tuple[str, float]:
    """Run Python, and return its output and CPU time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    threads = {name: str(THREADS) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, *map(str, words)],
        capture_output=True,
        text=True,
        env={**os.environ, **threads},
        check=False,
    )
    if done.returncode not in accepted:
        raise RuntimeError(f"{words}: status {done.returncode}\n{done.stderr[-3000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.stdout, used_s
