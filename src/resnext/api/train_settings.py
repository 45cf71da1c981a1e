"""Converts training requests to settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resnext.api.train_request import TrainRequest
from resnext.api.train_start import from_recipe, named_data
from resnext.errors import ConfigError
from resnext.model.names import config_from
from resnext.runs.config import TrainConfig, default_patience
from resnext.settings import override_together, read_assignment

if TYPE_CHECKING:
    from resnext.api.train_weights import Start
    from resnext.data.split import DataSet


def build_config(
    request: TrainRequest, start: Start | None = None, given: DataSet | None = None
) -> TrainConfig:
    """Convert a request to settings.

    Args:
        request: The request.
        start: The opened initial weights.
        given: The images, if they come from a Python program.

    Raises:
        ConfigError: A flag is wrong, or two contradict each other.
    """
    if request.continue_ and request.out is None:
        raise ConfigError("--continue needs --out, the folder of the run")
    if request.config is not None:
        if request.recipe is not None:
            raise ConfigError("--config already contains a recipe's settings; leave out --recipe")
        from resnext.runs.folder import read_config

        config = read_config(request.config)
        if request.head is not None:
            raise ConfigError("--config already defines the head; leave out --head")
        if request.data is not None:
            config = config.replace(data=named_data(request))
        if request.model is not None:
            config = config.replace(model=config_from(request.model))
        if request.weights is not None:  # a run's file holds the values that it resolved
            config = config.replace(data=config.data.replace(mean=None, std=None))
    else:
        config = from_recipe(request, start, given)
    weights = request.weights if start is None else start.name
    if weights is not None:
        config = config.replace(weights=weights)
    keys = [text.partition("=")[0] for text in request.set]
    if twice := next((key for key in keys if keys.count(key) > 1), None):
        raise ConfigError(f"--set {twice} is given twice; leave out one of the two")
    flags = _flag_settings(request)
    for flag, key, _ in flags:
        if key in keys and flag != "tune":  # which leaves some of its settings to others
            raise ConfigError(f"--{flag} and --set {key} are one setting; leave out one of the two")
    by_flags = [(key, value) for _, key, value in flags]
    config = override_together(config, [*by_flags, *map(read_assignment, request.set)])
    if request.early_stopping is None:
        return config
    return config.replace(early_stopping=_patience(request, request.early_stopping, config))


def _patience(request: TrainRequest, given: tuple[int, ...], config: TrainConfig) -> int:
    """Return the patience of `--early-stopping`; the default depends on the number of epochs."""
    if any(text.startswith("early_stopping=") for text in request.set):
        raise ConfigError("--early-stopping sets early_stopping; leave out one of the two")
    if len(given) > 1:
        raise ConfigError("--early-stopping takes a single number of epochs")
    return given[0] if given else default_patience(config.schedule.epochs)


def _flag_settings(request: TrainRequest) -> list[tuple[str, str, Any]]:
    """Return the settings given by flags: flag, key and value."""
    tuned = "auto" if request.tune else None
    rows = [
        ("epochs", "schedule.epochs", request.epochs),
        ("batch-size", "batch_size", request.batch_size),
        ("lr", "optim.lr", request.lr),
        ("head-lr-factor", "optim.head_lr_factor", request.head_lr_factor),
        ("image-size", "data.image_size_px", request.image_size),
        ("workers", "data.workers", request.workers),
        ("seed", "seed", request.seed),
        ("freeze-until", "freeze_until", request.freeze_until),
        ("balance", "class_weights", "balanced" if request.balance else None),
        ("device", "runtime.device", request.device),
        ("precision", "runtime.precision", request.precision),
        ("tune", "runtime.layout", tuned),
        ("tune", "runtime.merge_groups", tuned),
        ("compile" if request.compile else "tune", "runtime.compile", request.compile or tuned),
        ("threads", "runtime.threads", request.threads),
    ]
    return [row for row in rows if row[2] is not None]
