"""What is shown before training: the data, the network, and the length of it all."""

from __future__ import annotations

from resnext.complexity.count import count
from resnext.data.split import DataSet
from resnext.data.summary import summarise, summary_lines
from resnext.model.names import name_of
from resnext.training.config import TrainConfig


def opening_lines(config: TrainConfig, data: DataSet, num_steps: int) -> list[str]:
    """Describe a training in about ten lines.

    Args:
        config: Resolved settings.
        data: The images.
        num_steps: Optimiser steps of an epoch.
    """
    size_px = data.info.image_size_px
    cost = count(config.model, size_px)
    start = f"; starts from {config.weights}" if config.weights is not None else ""
    recipe = f"{config.recipe}: " if config.recipe else ""
    lines = [
        *summary_lines(summarise(data, config.data.label), has_weights=config.weights is not None),
        (
            "network",
            f"{name_of(config.model)}: {cost.parameters / 1e6:.1f} M parameters, "
            f"{cost.macs / 1e9:.2f} G multiply-adds an image of {size_px} px{start}",
        ),
        (
            "training",
            f"{recipe}{config.schedule.epochs} epochs of {num_steps:,} steps of "
            f"{min(config.batch_size, len(data.train))} images, {config.optim.kind}",
        ),
    ]
    return [f"{heading:<9} {text}" for heading, text in lines]
