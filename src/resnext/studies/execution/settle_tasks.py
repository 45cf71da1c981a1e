"""Finds the task of each data set of a study, which decides the measure of its trials."""

from __future__ import annotations

from resnext.data.set_names import BOX_SETS, SIGNAL_NAMES
from resnext.data.sets.load import load_data
from resnext.errors import ConfigError
from resnext.runs.config import TrainConfig
from resnext.studies.study import Study
from resnext.tasks.kinds import DEFAULT_TASK, fit_task, task_kind


def settle_tasks(study: Study) -> Study:
    """Return a study whose settings name their tasks.

    Raises:
        ConfigError: A task has no measure in percent, or its data cannot be opened.
        DataError: Its data are damaged.
    """
    return study.replace(settings=tuple(map(_settled, study.settings)))


def _settled(settings: TrainConfig) -> TrainConfig:
    can_differ = ("table", "masks", *BOX_SETS, *SIGNAL_NAMES)
    if settings.task == DEFAULT_TASK and settings.data.name in can_differ:
        targets = load_data(settings.data).info.targets  # the other sets hold one class an image
        settings = settings.replace(task=fit_task(settings.task, targets).name)
    measure = task_kind(settings.task).measure
    if measure.unit != "%":
        raise ConfigError(
            f"task={settings.task}: studies compare results in percent, not {measure.label}; "
            "train the networks one by one with resnext train"
        )
    return settings
