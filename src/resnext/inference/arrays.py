"""Signals that arrive as arrays, for an exported network. Needs no torch: a service has none.

Legend: b signals, c channels, x the sides, k classes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from resnext.class_lists import readable
from resnext.data.sets.series.raw import check_finite, check_shape
from resnext.data.signals.prepare import Values, prepare_series
from resnext.data.signals.tokens import normalise_text, number_tokens
from resnext.errors import ConfigError, DataError
from resnext.inference.predictor import Logits, Predictor
from resnext.model.signal import SignalInput, SignalKind
from resnext.runtimes.exported import Exported
from resnext.runtimes.spec import Precision
from resnext.tasks.answer import Answer
from resnext.tasks.kinds import answer_type

if TYPE_CHECKING:
    from resnext.inference.recordings import RecordingPredictor


class ArrayPredictor:
    """An exported network that takes signals, with what is needed to show it arrays.

    Attributes:
        network: The network.
        signal: How signals are prepared for it.
        classes: Readable names of its outputs.
        answers: The type of its answers.
        precision: Of the arithmetic.
    """

    def __init__(self, exported: Exported) -> None:
        """Take a network.

        Raises:
            ConfigError: It takes no signals, or such that are no arrays.
        """
        signal = exported.card.signal
        if signal is None or signal.kind not in _PREPARE:
            raise ConfigError(
                f"this network takes {'images' if signal is None else signal.kind}, which are no "
                f"arrays; such are {', '.join(_PREPARE)}"
            )
        self.network = exported
        self.signal: SignalInput = signal
        self.classes = tuple(readable(name) for name in exported.classes)
        self.answers = answer_type(exported.card.task)
        self.precision: Precision = exported.spec.precision

    def prepare(self, values: object) -> Values:
        """Return a signal as the network takes it, not yet normalised.

        Args:
            values: An array of c x the sides, or lists of numbers, None where one is missing; one
                channel needs no dimension of its own. A series has any length. Bytes of volumes
                are parts of 255. For a network for text, a string.

        Raises:
            DataError: It is something else; the message is the reason only.
        """
        return prepare_values(values, self.signal)

    def logits(self, signals: Sequence[Values]) -> Logits:
        """Run prepared signals through the network.

        Returns:
            b x k.

        Raises:
            CheckpointError: The runtime fails.
        """
        values_bcx = np.stack(signals)
        if self.network.spec.input == "normalised":
            values_bcx = _normalise(values_bcx, self.signal)
        return self.network.run(values_bcx)

    def answer(self, outputs: npt.NDArray[Any], top: int) -> Answer:
        """Read what the network computed for one signal; see `Predictor.answer`."""
        return self.answers.read(outputs, self.classes, self.network.card, top)

    def made(self, num: int) -> list[Values]:
        """Make prepared signals, for trying out and timing: noise, or the first tokens."""
        shape = (num, self.signal.in_channels, *self.signal.sides)
        if self.signal.text is not None:
            tokens = np.arange(math.prod(shape)) % self.signal.text.num_tokens
            return list(tokens.reshape(shape).astype(np.float32))
        drawn = np.random.default_rng(0).normal(size=shape).astype(np.float32)
        statistics = (1, self.signal.in_channels, *(1,) * self.signal.ndim)
        mean, std = (
            np.asarray(one, np.float32).reshape(statistics)
            for one in (self.signal.mean, self.signal.std)
        )
        return list(drawn * std + mean)


def predictor_of(exported: Exported) -> Predictor | ArrayPredictor | RecordingPredictor:
    """Return what shows an exported network its images, signals as arrays, or recordings.

    Raises:
        ConfigError: A package that decodes recordings is not installed.
    """
    signal = exported.card.signal
    if signal is None:
        return Predictor(exported)
    if signal.kind in _PREPARE:
        return ArrayPredictor(exported)
    from resnext.inference.recordings import RecordingPredictor  # imports torch

    return RecordingPredictor(exported)


def prepare_values(values: object, signal: SignalInput) -> Values:
    """Return a series, volume or text as a network takes it; see `ArrayPredictor.prepare`."""
    return _PREPARE[signal.kind](values, signal)


def _as_array(values: object) -> npt.NDArray[Any]:
    """Return numbers, NaN where one is missing."""
    if isinstance(values, np.ndarray):
        return values
    if not _holds_numbers(values):  # of texts, NumPy would make as many copies of the longest
        raise DataError(_LISTS)
    try:
        return np.array(values, dtype=np.float64)
    except (OverflowError, TypeError, ValueError):
        raise DataError(_LISTS) from None


def _holds_numbers(values: object) -> bool:
    """Tell whether lists within lists hold numbers and None only."""
    waiting = [values]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list | tuple):
            waiting.extend(one)
        elif one is not None and (isinstance(one, bool) or not isinstance(one, int | float)):
            return False
    return True


_LISTS = "it is no list of numbers for each channel, all of one length, null where one is missing"


def _with_channels(values: object, signal: SignalInput) -> npt.NDArray[Any]:
    """Return an array of c x the sides, whose sides may be others than the network's."""
    array_cx = _as_array(values)
    if array_cx.ndim == signal.ndim and signal.in_channels == 1:
        array_cx = array_cx[np.newaxis]
    if array_cx.ndim != signal.ndim + 1 or len(array_cx) != signal.in_channels:
        shape = " x ".join(map(str, array_cx.shape)) or "no dimension"
        raise DataError(
            f"it is an array of {shape}; the network takes {signal.in_channels} channel(s), "
            f"each of {signal.ndim} dimension(s)"
        )
    return array_cx


def _prepare_series(values: object, signal: SignalInput) -> Values:
    array_ct = _with_channels(values, signal)
    check_shape(array_ct.shape, "it is")
    with np.errstate(over="ignore", invalid="ignore"):
        series_ct = array_ct.astype(np.float32)
    check_finite(series_ct, "it")
    return prepare_series(series_ct, signal.size, signal.fit, signal.normalise)


def _prepare_volume(values: object, signal: SignalInput) -> Values:
    array_cx = _with_channels(values, signal)
    if array_cx.shape[1:] != signal.sides:
        sides = " x ".join(map(str, array_cx.shape[1:]))
        raise DataError(f"its sides are {sides}; the network takes {signal.shape}")
    with np.errstate(over="ignore", invalid="ignore"):
        volume_cx = array_cx.astype(np.float32)
    if not np.isfinite(volume_cx).all():
        raise DataError("it has values that are not finite")
    return volume_cx / np.float32(255) if array_cx.dtype == np.uint8 else volume_cx


def _prepare_text(values: object, signal: SignalInput) -> Values:
    text = normalise_text(values) if isinstance(values, str) else ""
    if not text:
        raise DataError("it is no text of at least one character")
    assert signal.text is not None  # as of all signals of this kind
    tokens_1l: Values = number_tokens([text], signal.text, signal.size)[0].astype(np.float32)
    return tokens_1l


_PREPARE: dict[SignalKind, Callable[[object, SignalInput], Values]] = {
    "series": _prepare_series,
    "volume": _prepare_volume,
    "text": _prepare_text,
}


def _normalise(values_bcx: Values, signal: SignalInput) -> Values:
    """Normalise without torch; see `normalise_signals`."""
    shape = (1, signal.in_channels, *(1,) * signal.ndim)
    mean, std = (np.asarray(one, np.float32).reshape(shape) for one in (signal.mean, signal.std))
    normal_bcx: Values = np.nan_to_num((values_bcx - mean) / std, nan=0.0)
    return normal_bcx
