"""The figures of a finished run: read from its log, or measured by a test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from resnext.complexity.count import count
from resnext.studies.results import Figures
from resnext.studies.study import Test
from resnext.studies.trial import moved
from resnext.training.config import TrainConfig
from resnext.training.metrics_log import read_metrics
from resnext.training.run_folder import ENVIRONMENT, open_run


def figures_of(run: Path) -> Figures:
    """Read the figures of the last epoch, and count the network as it was trained."""
    epochs = [row for row in read_metrics(run) if row["kind"] == "epoch"]
    last = epochs[-1]
    config = open_run(run)
    cost = count(config.model, config.data.image_size_px)
    environment = json.loads((run / ENVIRONMENT).read_text(encoding="utf-8"))
    on_cpu = environment["device"] == "cpu"
    return Figures(
        **{name: last[name] for name in _LAST},
        best_top1_error=min(row["top1_error"] for row in epochs),
        parameters=cost.parameters,
        macs=cost.macs,
        activations=cost.activations,
        epochs=last["epoch"],
        machine=f"{environment['cpu']}, {environment['num_threads']} threads"
        if on_cpu
        else environment["device"],
        precision=environment["dtype"],
    )


_LAST = ("top1_error", "top5_error", "loss", "train_top1_error", "train_loss", "seconds")


def run_test(run: Path, config: TrainConfig, test: Test) -> dict[str, Any]:
    """Evaluate a run's weights as a test asks for.

    Args:
        run: The run folder.
        config: Where and how to evaluate; its images may lie elsewhere than when the run began.
        test: What is evaluated.
    """
    import torch

    from resnext.evaluation.run import Effort, measure
    from resnext.evaluation.target import Protocol
    from resnext.training.runtime import Runtime, resolve_device

    own = moved(open_run(run), config)
    view = test.view or (own.view if test.data is None else None)
    protocol = Protocol(data=test.data or own.data, view=view, all_classes=test.all_classes)
    runtime = Runtime(resolve_device(config.runtime.device), torch.float32)
    figures = measure(run, protocol, runtime, Effort(workers=config.data.workers)).figures
    kept = ("top1_error", "top5_error", "loss", "num_images", "view", "data")
    return {name: figures[name] for name in kept if name in figures}
