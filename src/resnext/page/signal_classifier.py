"""Predictions for signals from the page: the content of files, pasted values, or texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from PIL import Image

from resnext.data.decode.video_limits import MAX_FRAME_PIXELS
from resnext.data.sets.npy_bytes import array_of
from resnext.data.signals.audio_split import draw_clip
from resnext.data.signals.picture import draw_signal
from resnext.data.signals.video_split import draw_strip
from resnext.errors import DataError
from resnext.inference.arrays import prepare_values
from resnext.inference.recordings import check_recording, decode_recording, require_decoder
from resnext.inference.signals import SignalPredictor
from resnext.inference.videos import average_logits
from resnext.page.classifier import TOP
from resnext.runtimes.exported import Exported
from resnext.runtimes.module import as_trained

if TYPE_CHECKING:
    from resnext.model.trained import TrainedNetwork

_MAX_VALUES = 2**22
_MAX_TEXT_BYTES = 2**22
_ARRAY_MARKS = (b"\x93NUMPY", b"PK\x03\x04")


@dataclass(frozen=True)
class SignalAnswer:
    """The prediction for one signal.

    Attributes:
        classes: The most probable classes, best first.
        probabilities: Their probabilities, 0..1.
        picture: Curves, slices, waveform and spectrogram, or frames; None for a text.
    """

    classes: tuple[str, ...]
    probabilities: tuple[float, ...]
    picture: Image.Image | None


class SignalClassifier:
    """The served network, ready for signals from the page.

    Attributes:
        signal: What it takes.
    """

    def __init__(self, model: TrainedNetwork | Exported) -> None:
        """Prepare a network for the page.

        Raises:
            ConfigError: The package that decodes its files is not installed.
        """
        network = as_trained(model) if isinstance(model, Exported) else model
        self._predictor = SignalPredictor(network)
        self.signal = self._predictor.signal
        if self.signal.kind in ("audio", "video"):
            require_decoder(self.signal)

    def classify_file(self, data: bytes) -> SignalAnswer:
        """Classify the content of a file.

        Raises:
            DataError: It is not what the network takes; the message is the reason.
        """
        if self.signal.kind in ("audio", "video"):
            check_recording(data, self.signal, MAX_FRAME_PIXELS)
            return self._answer(decode_recording(data, self._predictor))
        if data.startswith(_ARRAY_MARKS):
            return self._answer(self._prepared(array_of(data, _MAX_VALUES)))
        if len(data) > _MAX_TEXT_BYTES:
            raise DataError(f"more than the {_MAX_TEXT_BYTES:,} bytes accepted of values as text")
        return self.classify_values(data.decode("utf-8", "replace"))

    def classify_values(self, text: str) -> SignalAnswer:
        """Classify a series that is written as numbers.

        Raises:
            DataError: The text is something else.
        """
        return self._answer(self._prepared(read_values(text)))

    def classify_text(self, text: str) -> SignalAnswer:
        """Classify a text.

        Raises:
            DataError: It is empty.
        """
        return self._answer(self._prepared(text))

    def _prepared(self, values: object) -> torch.Tensor:
        return torch.from_numpy(prepare_values(values, self.signal))

    def _answer(self, prepared: torch.Tensor) -> SignalAnswer:
        if self.signal.video is not None:
            logits_k = average_logits(self._predictor, prepared)
        else:
            logits_k = self._predictor.logits(prepared[None])[0]
        ranked = self._predictor.answer(logits_k, TOP).ranked
        names = tuple(score.name for score in ranked)
        return SignalAnswer(
            names, tuple(score.probability for score in ranked), self._draw(prepared)
        )

    def _draw(self, prepared: torch.Tensor) -> Image.Image | None:
        """Draw a signal as reports do."""
        if self.signal.text is not None:
            return None
        if self.signal.sound is not None:
            return draw_clip(prepared, self.signal)
        if self.signal.video is not None:
            return draw_strip(prepared[len(prepared) // 2])
        return draw_signal(prepared.numpy())


def read_values(text: str) -> list[list[float | None]]:
    """Read a series: a line for each channel, values between commas, semicolons or blanks.

    `?`, `nan` and nothing between two commas are missing values. A single column is one channel.

    Raises:
        DataError: Something is no number.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise DataError("there is no value; write some, such as 0.1, 0.4, 0.2")
    rows = [_read_row(line) for line in lines]
    if len(rows) > 1 and all(len(row) == 1 for row in rows):
        return [[row[0] for row in rows]]
    return rows


def _read_row(line: str) -> list[float | None]:
    mark = next((mark for mark in (",", ";") if mark in line), None)
    return [_read_number(cell.strip()) for cell in line.strip().split(mark)]


def _read_number(cell: str) -> float | None:
    if cell.lower() in ("", "?", "nan", "null"):
        return None
    try:
        return float(cell)
    except ValueError:
        raise DataError(
            "a value is not a number; write a line for each channel, such as 0.1, 0.4, 0.2"
        ) from None
