"""The three programs of the comparison, each run in a process of its own on one thread.

`resnext train` runs without a flag that changes what it learns. The others train for as long
as it did, on images of the side that it chose:

- the loop that people write themselves (`bench.first_hour.plain_loop`);
- timm's training script with its defaults, but for what no user would leave: ResNet-18 for
  ResNet-50 at 224 px, and so many epochs as the time allows. The script is part of timm's
  repository, not of the package.

Time is that of the processor, workers included, so that other work on the machine does not count.
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
    """What came of one training.

    Attributes:
        test_error: Top-1 error on the test images in percent, of the weights that were kept.
        cpu_s: Processor time of the training.
        detail: What the program says of itself.
    """

    test_error: float
    cpu_s: float
    detail: dict[str, object]


def ours(folder: Path, seed: int, work: Path) -> Outcome:
    """Train with `resnext train` as it is, and evaluate on the test split."""
    run = work / "run"
    shutil.rmtree(run, ignore_errors=True)
    settings = [f"seed={seed}", f"runtime.threads={THREADS}", "data.workers=0"]
    words = ["train", "--data", folder, "--out", run, "--quiet", "--json", "--set", *settings]
    # 3: it says itself that what it learned is useless
    output, cpu_s = _timed("-m", "resnext", *words, accepted=(0, 3))
    detail = json.loads(output)
    data = yaml.safe_load((run / "config.yaml").read_text())["data"]
    detail["image_size_px"] = data["image_size_px"]
    words = ["evaluate", run, "--split", "test", "--json"]
    output, _ = _timed("-m", "resnext", *words)
    return Outcome(json.loads(output)["top1_error"], cpu_s, detail)


def plain(folder: Path, seed: int, side_px: int, cpu_s: float) -> Outcome:
    """Train with the loop that people write themselves."""
    words = ["--size", side_px, "--cpu-seconds", cpu_s, "--seed", seed, "--threads", THREADS]
    output, used_s = _timed("-m", "bench.first_hour.plain_loop", folder, *words)
    detail = json.loads(output)
    return Outcome(detail.pop("test_error"), used_s, detail)


def timm(script: Path, folder: Path, seed: int, side_px: int, cpu_s: float, work: Path) -> Outcome:
    """Train with timm's script, after two short runs that tell what an epoch costs."""
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
    if num_train < 128:  # its default batch, of which it drops what is not full
        words += ["--batch-size", num_train // 2]
    _, cpu_s = _timed(script, *words)
    return cpu_s


def _timed(*words: object, accepted: tuple[int, ...] = (0,)) -> tuple[str, float]:
    """Run Python and return what it printed and the processor time that it took."""
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
