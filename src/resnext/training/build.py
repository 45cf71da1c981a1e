"""Builds the training step of a run from its settings."""

from __future__ import annotations

import torch

from resnext.data.split import DataInfo
from resnext.model.config import DetectorConfig
from resnext.model.convolution import set_merging
from resnext.model.create import create_model
from resnext.runs.config import TrainConfig
from resnext.runs.runtime import Runtime
from resnext.tasks.task import Task
from resnext.training.boxes import prepare_detector
from resnext.training.ema import WeightAverage
from resnext.training.finetune import freeze, load_pretrained
from resnext.training.optimizer import build_optimizer
from resnext.training.speed_choice import choice_of
from resnext.training.step import TrainStep
from resnext.training.sync_norm import share_norm
from resnext.training.task import task_of
from resnext.weights.file import Weights


def build_train_step(
    config: TrainConfig,
    info: DataInfo,
    runtime: Runtime,
    weights: Weights | None = None,
    task: Task | None = None,
) -> TrainStep:
    """Build the network, its optimiser and its average on this process's device.

    Args:
        config: Fully resolved settings.
        info: The data, for its class names.
        runtime: Device, precision, processes.
        weights: Initial weights; None keeps the random ones.
        task: Task of the network; by default that of the settings, with equal class weights.
    """
    torch.manual_seed(config.seed)
    model = create_model(config.model)
    if weights is not None:
        load_pretrained(model, weights, info.classes)
    if isinstance(config.model, DetectorConfig):
        prepare_detector(model, info, runtime)
    freeze(model, config)
    model.to(runtime.device)
    speed = choice_of(config.runtime)
    if speed.layout == "channels_last" and getattr(config.model, "ndim", 2) == 2:
        model.to(memory_format=torch.channels_last)
    set_merging(model, speed.merge_groups)
    if config.sync_norm:
        model = share_norm(model, runtime)
    average = WeightAverage(model, config.ema_decay) if config.ema_decay is not None else None
    optimizer = build_optimizer(model, config.optim)
    if speed.compile:
        model.compile()
    return TrainStep(config, runtime, model, optimizer, average, task or task_of(config, info))
