"""Writes the kept weights of a run, with everything needed to use them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from resnext.model.card import ModelCard
from resnext.runs.config import TrainConfig
from resnext.tasks.kinds import task_kind
from resnext.tasks.task import Result
from resnext.training.trainer_parts import Loaders
from resnext.weights.own_file import BEST, save_weights


def keep_weights(
    run: Path,
    model: nn.Module,
    config: TrainConfig,
    loaders: Loaders,
    figures: Mapping[str, Any],
    result: Result,
) -> None:
    """Replace the kept weights with those of an epoch.

    Args:
        run: The run folder.
        model: The validated network.
        config: Settings of the run.
        loaders: The images, which determine classes and preprocessing.
        figures: Metrics of the epoch.
        result: Result of its validation.
    """
    info = loaders.info
    card = ModelCard(
        data=info.name,
        classes=info.classes,
        image_size_px=config.view.size_px or info.image_size_px,
        resize_px=loaders.val.resize_px,
        interpolation=config.view.interpolation or "bilinear",
        mean=info.mean,
        std=info.std,
        task=config.task,
        signal=info.signal,
        metrics={name: figures[name] for name in (task_kind(config.task).measure.key, "loss")},
        epoch=figures["epoch"],
        **result.card_fields(),
    )
    save_weights(run / BEST, model, config.model, card)
