"""The summary shown before training: data, network and length."""

from __future__ import annotations

from typing import Any

from resnext.complexity.count import count
from resnext.data.sets.summary import summarise
from resnext.data.sets.summary_lines import summary_lines
from resnext.data.split import DataInfo, DataSet
from resnext.model.names import name_of
from resnext.runs.config import TrainConfig
from resnext.training.class_weights import describe_weights, weigh_classes


def describe_opening(config: TrainConfig, data: DataSet, num_steps: int) -> dict[str, Any]:
    """Describe a training in about ten lines.

    Args:
        config: Resolved settings.
        data: The images.
        num_steps: Optimiser steps per epoch.

    Returns:
        JSON values: `lines`, each a heading and a text, and `num_images` of each split.
    """
    size_px = data.info.image_size_px
    signal = data.info.signal
    cost = count(config.model, size_px if signal is None else signal.sides)
    start = f"; starts from {config.weights}" if config.weights is not None else ""
    recipe = f"{config.recipe}: " if config.recipe else ""
    summary = summarise(data, config.data.label)
    lines = [
        *summary_lines(summary, has_weights=config.weights is not None),
        (
            "network",
            f"{name_of(config.model)}: {cost.parameters / 1e6:.1f} M parameters, "
            f"{_macs(cost.macs, data.info)} multiply-adds {_input(data.info)}{start}",
        ),
        (
            "training",
            f"{recipe}{config.schedule.epochs} epochs of {num_steps:,} steps of "
            f"{min(config.batch_size, len(data.train))} {data.info.noun}, {config.optim.kind}",
        ),
    ]
    class_weights_k = weigh_classes(config.class_weights, data)
    if class_weights_k is not None:  # in place of the advice to weigh them
        lines = [line for line in lines if line[0] != "balance"]
        lines.append(("balance", describe_weights(class_weights_k, data.info.classes)))
    return {"num_images": summary.num_images, "lines": lines}


def _macs(macs: int, info: DataInfo) -> str:
    """Write a cost in billions, that of signals, which are small, in millions."""
    return f"{macs / 1e9:.2f} G" if info.signal is None else f"{macs / 1e6:.2f} M"


def _input(info: DataInfo) -> str:
    if info.signal is None:
        return f"an image of {info.image_size_px} px"
    return f"for {info.signal.description}" if info.signal.sound else info.signal.description
