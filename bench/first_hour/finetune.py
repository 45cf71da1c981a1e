"""Compares fine-tuning with our recipe to that of a careful user of fastai or timm, in equal time.

All three start from the same weights, use the same image size and normalisation, keep the weights
with the best validation error, and train for the same CPU time on one thread in fp32. The number of
epochs of a run follows from the measured time of its epochs. The two others are loops in plain
torch (`finetune_peers`):

- `fastai`: `Learner.fine_tune`: one epoch of a new head (BN is trained, too), then one cycle of all
  layers with AdamW, learning rates that fall geometrically from the head to the stem by a factor of
  100, half the base rate, flips, small rotations and lighting changes on random crops.
- `timm`: AdamW on all layers, a layer decay of 0.75 per stage, warm-up and cosine, label smoothing
  of 0.1, random crops and flips.

    python -m bench.first_hour.finetune WEIGHTS SET --size 64 --seconds 90 --out FILE.jsonl
"""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

import resnext
from bench.first_hour.finetune_peers import Outcome, Task, fastai, test_error, test_loader, timm
from resnext.api.photo_facts import look
from resnext.data.config import DataConfig
from resnext.recipes.finetune import finetune
from resnext.runs.metrics_log import read_metrics
from resnext.settings import override_all
from resnext.training.display import Display
from resnext.training.target import RunTarget
from resnext.training.train import train
from resnext.weights.source import open_weights

Method = Callable[[Task, int, int, "tuple[str, ...]"], Outcome]


def ours(task: Task, epochs: int, seed: int, changes: tuple[str, ...] = ()) -> Outcome:
    """Train with the package's recipe."""
    data = DataConfig(name="folder", root=task.folder, image_size_px=task.size_px, workers=0)
    weights = open_weights(task.weights)
    facts = look(data, has_gpu=False)
    config = finetune(weights.config, data, task.weights, weights.card, facts)
    settings = (f"schedule.epochs={epochs}", f"seed={seed}", "runtime.precision=fp32")
    config = override_all(config, (*settings, "runtime.threads=1", *changes))
    out = Path(tempfile.mkdtemp(prefix="finetune-"))
    start = time.process_time()
    run = train(config, RunTarget(out=out / "run"), Display("quiet"))
    cpu_seconds = time.process_time() - start
    errors = [row["top1_error"] for row in read_metrics(run) if row["kind"] == "epoch"]
    trained = resnext.load(run)
    card = trained.card
    test = test_error(trained.module, test_loader(task, card.mean, card.std, card.resize_px))
    shutil.rmtree(out)
    return Outcome(test, min(errors), cpu_seconds, epochs)


METHODS: dict[str, Method] = {"ours": ours, "fastai": fastai, "timm": timm}


def measure(task: Task, method: str, seconds: float, record: Path) -> int:
    """Return how many epochs a method has time for; the time of an epoch is measured once."""
    known = json.loads(record.read_text()) if record.exists() else {}
    key = f"{task.weights.name} {task.folder.name} {task.size_px} {method}"
    if key not in known:
        few, many = (METHODS[method](task, number, 99, ()).cpu_seconds for number in (1, 3))
        known[key] = (few, many)
        record.write_text(json.dumps(known))
    few, many = map(float, known[key])
    return max(2, 1 + round((seconds - few) / ((many - few) / 2)))


def main() -> None:
    """Run what is missing in FILE, and append one line of JSON for each run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=90.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS)
    parser.add_argument("--set", nargs="*", default=[], help="changes of the methods' settings")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    task = Task(arguments.weights, arguments.folder, arguments.size)
    changes = tuple(arguments.set)
    known = list(_rows(arguments.out))
    key = {"weights": task.weights.name, "set": task.folder.name, "set_values": list(changes)}
    epochs: dict[str, int] = {}
    for seed, method in itertools.product(arguments.seeds, arguments.methods):
        row = {**key, "seconds": arguments.seconds, "method": method, "seed": seed}
        if any(row.items() <= other.items() for other in known):
            continue
        if method not in epochs:
            epochs[method] = measure(
                task, method, arguments.seconds, arguments.out.with_suffix(".times.json")
            )
        outcome = METHODS[method](task, epochs[method], seed, changes)
        line = json.dumps({**row, **vars(outcome)})
        print(line, flush=True)
        with arguments.out.open("a") as file:
            file.write(line + "\n")


def _rows(file: Path) -> Iterator[dict[str, object]]:
    if file.exists():
        yield from map(json.loads, file.read_text().splitlines())


if __name__ == "__main__":
    main()
