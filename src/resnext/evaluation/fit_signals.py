"""Signals prepared as a network was trained on them, whatever set they come from."""

from __future__ import annotations

from dataclasses import replace

from resnext.data.config import DataConfig
from resnext.data.split import DataInfo
from resnext.errors import ConfigError
from resnext.model.signal import SignalInput


def as_in_training(data: DataConfig, signal: SignalInput | None) -> DataConfig:
    """Return the settings that prepare series and audio as in training."""
    if signal is not None and signal.sound is not None and data.name == "audio":
        audio = data.audio.as_trained(signal.sound, signal.size, signal.in_channels)
        return data.replace(audio=audio, normalise=signal.normalise)
    if signal is None or data.name != "series":
        return data
    return data.replace(length=signal.size, fit=signal.fit, normalise=signal.normalise)


def fit_signals(info: DataInfo, signal: SignalInput | None) -> DataInfo:
    """Normalise signals by the statistics of training.

    Raises:
        ConfigError: The network takes images and the data are signals, or the other way round,
            or signals of another kind, size or number of channels.
    """
    own = info.signal
    if own is None or signal is None:
        takes = "images" if signal is None else signal.description
        given = "images" if own is None else own.description
        raise ConfigError(
            f"the network takes {takes}, {info.name} has {given}; choose data like those of "
            "training"
        )
    if _size_of(own) != _size_of(signal):
        raise ConfigError(
            f"the network takes {signal.description}, {info.name} has {own.description}; choose "
            "data like those of training"
        )
    return replace(info, signal=signal)


def _size_of(signal: SignalInput) -> tuple[object, ...]:
    return signal.kind, signal.size, signal.in_channels, signal.sound
