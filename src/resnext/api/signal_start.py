"""Network and recipe of `resnext train` for signals, by their size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resnext.data.config import DataConfig
from resnext.data.sets.load import load_data
from resnext.errors import ConfigError
from resnext.model.config import ModelConfig, ResNeXtConfig
from resnext.model.names import config_from
from resnext.recipes.signals import SignalFacts, default_signal_model, signals
from resnext.recipes.text import default_text_model, for_text, text
from resnext.recipes.video import default_video_model, video
from resnext.runs.config import TrainConfig

if TYPE_CHECKING:
    from resnext.api.train_request import TrainRequest
    from resnext.api.train_weights import Start


def signal_settings(
    request: TrainRequest, data: DataConfig, start: Start | None
) -> TrainConfig | None:
    """Return the settings for signals; None if the file contains images.

    Raises:
        ConfigError: A flag is for images.
        DataError: The file is not in an accepted format.
    """
    loaded = load_data(data)
    signal = loaded.info.signal
    if signal is None:
        return None
    if request.recipe is not None:
        raise ConfigError(
            f"--recipe {request.recipe} is for images; leave it out: signals have their own recipe"
        )
    if signal.text is not None:
        return _text_settings(request, data, len(loaded.train), start)
    if signal.video is not None:
        return _video_settings(request, data, len(loaded.train), start)
    facts = SignalFacts(max(len(loaded.train), 1), signal.size, signal.ndim, signal.kind)
    if request.model is not None:
        model = config_from(request.model)
        if isinstance(model, ResNeXtConfig):
            model = model.replace(ndim=signal.ndim)
    elif start is not None:
        model = start.weights.config
    else:
        model = default_signal_model(facts)
    return signals(model, data, facts, None if start is None else start.name)


def _video_settings(
    request: TrainRequest, data: DataConfig, num_train: int, start: Start | None
) -> TrainConfig:
    if request.model is not None:
        model = config_from(request.model)
    else:
        model = default_video_model() if start is None else start.weights.config
    if isinstance(model, ResNeXtConfig):
        model = model.replace(ndim=3)
    return video(model, data, num_train, None if start is None else start.name)


def _text_settings(
    request: TrainRequest, data: DataConfig, num_train: int, start: Start | None
) -> TrainConfig:
    unit = data.unit
    if request.model is None:
        model: ModelConfig = default_text_model(unit)
    else:
        model = for_text(config_from(request.model), unit)
    return text(model, data, num_train, None if start is None else start.name)
