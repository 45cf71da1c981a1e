"""Predictions for signals that a Python program gives: paths, contents, arrays and texts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import count, groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from resnext.api.given_data import as_path
from resnext.data.decode.audio import to_clip
from resnext.data.decode.python_image import is_array
from resnext.data.sets.audio.decode import fit_clip
from resnext.data.signals.tokens import normalise_text
from resnext.errors import ConfigError, DataError
from resnext.inference.arrays import prepare_values
from resnext.inference.files import Prediction
from resnext.inference.signals import SignalPredictor, predict_signals
from resnext.inference.texts import predict_texts
from resnext.inference.videos import average_logits, clips_of, predict_videos
from resnext.model.signal import SignalInput
from resnext.runs.runtime import resolve_device

if TYPE_CHECKING:
    from resnext.model.trained import TrainedNetwork

Given = str | Path | bytes | npt.NDArray[Any]
"""One signal, or the path of a file with several."""


def predict_signals_of(
    network: TrainedNetwork,
    signals: object,
    top: int,
    batch_size: int,
    device: str | None,
    precision: str | None,
) -> Iterator[Prediction]:
    """Predict signals one by one in the given order, including bad files.

    Args:
        network: A network for signals.
        signals: One signal, or any iterable of them; see `resnext.predict`.
        top: Number of classes to return, at most all.
        batch_size: Signals per batch.
        device: As `--device`; None leaves the network where it is.
        precision: Only fp32.

    Raises:
        ConfigError: Something is no signal for this network, or an option does not fit.
    """
    if top < 1:
        raise ConfigError(f"top={top}: give a positive number of classes")
    if precision == "bf16":
        raise ConfigError("precision='bf16' needs a network for images; leave it out")
    place = _device_of(network) if device is None else resolve_device(device)
    predictor = SignalPredictor(network, place)
    numbers = count()
    for kind, group in groupby(_each(signals, predictor.signal), key=type):
        for row in _predict(predictor, kind, group, top, batch_size):
            yield replace(row, index=next(numbers))


def _predict(
    predictor: SignalPredictor, kind: type, group: Iterator[Any], top: int, batch_size: int
) -> Iterator[Prediction]:
    """Predict signals that are given in one form."""
    if kind is str:
        return predict_texts(predictor, group, top=top, batch_size=batch_size)
    if not issubclass(kind, Path):
        return _predict_values(predictor, group, top, batch_size)
    if predictor.signal.text is not None:
        return predict_texts(predictor, (), group, top=top, batch_size=batch_size)
    if predictor.signal.video is not None:
        return predict_videos(predictor, group, top=top)
    return predict_signals(predictor, group, top=top, batch_size=batch_size)


def _device_of(network: TrainedNetwork) -> torch.device:
    return next((one.device for one in network.module.parameters()), torch.device("cpu"))


def _predict_values(
    predictor: SignalPredictor, group: Iterator[bytes | npt.NDArray[Any]], top: int, batch_size: int
) -> Iterator[Prediction]:
    while batch := list(islice(group, batch_size)):
        found = [_prepare(predictor, one) for one in batch]
        good = [one for one in found if isinstance(one, torch.Tensor)]
        rows = iter(_logits(predictor, good))
        for one in found:
            if isinstance(one, DataError):
                yield Prediction(0, error=str(one))
            else:
                yield Prediction(0, answer=predictor.answer(next(rows), top))


def _logits(
    predictor: SignalPredictor, prepared: list[torch.Tensor]
) -> Iterable[npt.NDArray[np.float32]]:
    if predictor.signal.video is not None:
        return [average_logits(predictor, clips_vcx) for clips_vcx in prepared]
    return predictor.logits(torch.stack(prepared)) if prepared else []


def _prepare(
    predictor: SignalPredictor, given: bytes | npt.NDArray[Any]
) -> torch.Tensor | DataError:
    signal = predictor.signal
    try:
        if signal.sound is not None and isinstance(given, bytes):
            return predictor.clip(given)
        if signal.sound is not None:
            return torch.from_numpy(fit_clip(_clip_of(given, signal), signal.size))
        if signal.video is not None:
            assert isinstance(given, bytes)  # arrays were refused
            return clips_of(given, signal)
        return torch.from_numpy(prepare_values(given, signal))
    except DataError as error:
        return error


def _clip_of(given: Any, signal: SignalInput) -> npt.NDArray[np.int16]:
    """Return samples at the network's rate as a clip."""
    samples_ct = given[None] if given.ndim == 1 else given
    if len(samples_ct) != signal.in_channels or not samples_ct.size:
        raise DataError(
            f"it is an array of {' x '.join(map(str, given.shape))}; the network takes "
            f"{signal.in_channels} channel(s) of at least one sample"
        )
    if samples_ct.dtype == np.int16:
        return np.ascontiguousarray(samples_ct)
    if not np.issubdtype(samples_ct.dtype, np.floating):
        raise DataError(f"its values are {samples_ct.dtype}; give int16, or floats of -1 to 1")
    return to_clip(samples_ct.astype(np.float32))


def _each(signals: object, signal: SignalInput) -> Iterator[Given]:
    """Yield the given signals one by one.

    Raises:
        ConfigError: Something is no signal for the network.
    """
    if isinstance(signals, str) and signal.text is not None:
        if not normalise_text(signals):
            raise ConfigError("a text is empty; give at least one character")
        yield signals
    elif isinstance(signals, str | os.PathLike):
        path = as_path("signals", signals)
        yield path
    elif isinstance(signals, bytes | bytearray | memoryview):
        if signal.kind not in ("audio", "video"):
            raise _wrong(signals, signal)
        yield bytes(signals)
    elif is_array(signals):
        yield from _each_array(np.asarray(signals), signal)
    elif isinstance(signals, Iterable):
        for one in signals:
            yield from _each(one, signal)
    else:
        raise _wrong(signals, signal)


def _each_array(array: npt.NDArray[Any], signal: SignalInput) -> Iterator[npt.NDArray[Any]]:
    if signal.kind in ("text", "video"):
        raise _wrong(array, signal)
    ndim, channels = 1 if signal.sound is not None else signal.ndim, signal.in_channels
    is_one = array.ndim == ndim + 1 and array.shape[0] == channels
    if array.ndim > ndim + 1 or (array.ndim == ndim + 1 and channels == 1 and not is_one):
        for one in array:
            yield from _each_array(one, signal)
    else:
        yield array


_ACCEPTED = {
    "text": "texts, or paths of tables and .txt files as Path",
    "audio": "paths, the bytes of audio files, or arrays of channels x samples",
    "video": "paths, or the bytes of video files",
    "series": "paths, or arrays of channels x steps",
    "volume": "paths, or arrays of channels x depth x height x width",
}


def _wrong(given: object, signal: SignalInput) -> ConfigError:
    return ConfigError(
        f"a signal of type {type(given).__name__}: this network takes {signal.description}; give "
        f"{_ACCEPTED[signal.kind]}, or many"
    )
