"""The task of a run, built from its settings and its data."""

from __future__ import annotations

import torch

from resnext.data.split import DataInfo, DataSet
from resnext.runs.config import TrainConfig
from resnext.runs.runtime import Runtime
from resnext.tasks.kinds import build_task
from resnext.tasks.task import Task, TaskOptions
from resnext.training.class_weights import weigh_classes


def task_of(
    config: TrainConfig, info: DataInfo, class_weights_k: torch.Tensor | None = None
) -> Task:
    """Build the task of a run.

    Args:
        config: Resolved settings.
        info: The data.
        class_weights_k: Weight of each class in the loss, on the device; None weights all equally.

    Raises:
        ConfigError: The task does not support a setting.
    """
    options = TaskOptions(info.classes, config.loss, config.label_smoothing, class_weights_k)
    return build_task(config.task, options)


def weighted_task_of(config: TrainConfig, data: DataSet, runtime: Runtime) -> Task:
    """Build the task of a run, with the class weights of its settings."""
    class_weights_k = weigh_classes(config.class_weights, data)
    if class_weights_k is not None:
        class_weights_k = class_weights_k.to(runtime.device)
    return task_of(config, data.info, class_weights_k)
