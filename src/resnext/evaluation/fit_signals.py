"""Signals prepared as a network was trained on them, whatever set they come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from resnext.data.config import DataConfig
from resnext.data.set_names import SIGNAL_NAMES
from resnext.data.sets.table.columns import as_names
from resnext.data.sets.table.rows import column_names
from resnext.data.sets.text.table import open_table
from resnext.data.signals.text_split import TextSplit
from resnext.data.split import DataInfo, Split
from resnext.errors import ConfigError
from resnext.model.signal import SignalInput
from resnext.model.signal_columns import SignalColumns


def as_in_training(data: DataConfig, signal: SignalInput | None) -> DataConfig:
    """Return the settings that give signals the size and form of training."""
    if signal is None or data.name not in SIGNAL_NAMES:
        return data
    if signal.columns is not None and data.name == signal.kind:
        data = _with_columns(data, signal.columns)
    if signal.sound is not None and data.name == "audio":
        audio = data.audio.as_trained(signal.sound, signal.size, signal.in_channels)
        return data.replace(audio=audio, normalise=signal.normalise)
    if signal.kind == "volume" == data.name and data.root is not None and data.root.is_dir():
        return data.replace(image_size_px=signal.size)
    if signal.video is not None and data.name == "video":
        return data.replace(
            image_size_px=signal.size,
            mean=signal.mean,
            std=signal.std,
            frames=signal.video.frames,
            frame_stride=signal.video.stride,
            clips=signal.video.clips,
        )
    if signal.text is not None and data.name == "text":
        return data.replace(
            length=signal.size,
            unit=signal.text.unit,
            lower=signal.text.lower,
            min_count=1,  # the set's own vocabulary is replaced, however few its texts
        )
    if signal.kind == "series" == data.name:
        return data.replace(length=signal.size, fit=signal.fit, normalise=signal.normalise)
    return data


def _with_columns(data: DataConfig, columns: SignalColumns) -> DataConfig:
    """Name the columns that were named for training, but for those that a table does not have."""
    named = {
        "label_column": columns.label,
        "split_column": columns.split,
        "id_column": columns.series,
        "time_column": columns.time,
        "text_column": columns.text,
    }
    wanted = {key: value for key, value in named.items() if getattr(data, key) is None and value}
    if data.root is not None and data.root.is_file():
        there = set(_columns_of(data.root, data.name))
        wanted = {key: value for key, value in wanted.items() if there >= {*as_names(value)}}
    return data.replace(**wanted)


def _columns_of(path: Path, kind: str) -> Sequence[str]:
    if kind == "text":
        return open_table(path).columns
    return column_names(path) if path.suffix.lower() in (".csv", ".parquet") else ()


def as_encoded(split: Split, signal: SignalInput | None) -> Split:
    """Return texts numbered by the vocabulary of training; other splits as they are."""
    if isinstance(split, TextSplit) and signal is not None and signal.text is not None:
        return split.encode(signal)
    return split


def with_one_clip(signal: SignalInput) -> SignalInput:
    """Return the same signals with one clip of each video, where one input of each is enough."""
    if signal.video is None:
        return signal
    return signal.replace(video=signal.video.replace(clips=1))


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
