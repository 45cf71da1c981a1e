"""A split of audio clips that are held in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import torch
from PIL import Image

from resnext.data.bad_files import BadFiles
from resnext.data.file_split import FileSplit
from resnext.data.signals.front_end import log_mel, middle
from resnext.data.signals.picture import draw_sound
from resnext.data.signals.split import SignalSplit, as_float
from resnext.data.split import ImageReader, Split
from resnext.model.signal import SignalInput

_NO_LENGTHS = torch.empty(0, dtype=torch.int64)


@dataclass(frozen=True)
class AudioSplit(SignalSplit):
    """Clips in memory, int16, each in the middle of silence.

    Attributes:
        source: Folder of the files.
        names: Path of each file below it.
        lengths_n: Samples of each clip without the silence around it, int64.
        left_out: Path and reason of the files that could not be read.
        signal: How the clips are prepared, for their pictures.
    """

    names: Sequence[str] = ()
    lengths_n: torch.Tensor = field(default_factory=lambda: _NO_LENGTHS)
    left_out: tuple[tuple[str, str], ...] = ()
    signal: SignalInput | None = None

    def name(self, index: int) -> str:
        """Return a file's path below the folder."""
        return self.names[index]

    def path(self, index: int) -> Path:
        """Return the path of a file."""
        return Path(self.source) / self.names[index]

    def pictures(self, in_channels: int) -> ImageReader:
        """Return what draws the clips: the waveform, and below it the spectrogram."""
        del in_channels
        return SoundPictures(self)

    def choose(self, indices_n: torch.Tensor) -> Self:
        """Return the split of some clips."""
        return replace(
            super().choose(indices_n),
            names=self._files().choose(indices_n).names,
            lengths_n=self.lengths_n[indices_n],
        )

    def join(self, others: Sequence[Self]) -> Self:
        """Append other splits, below their common folder."""
        joined = self._files().join([split._files() for split in others])
        splits = [self, *others]
        return replace(
            super().join(others),
            source=str(joined.root),
            names=joined.names,
            lengths_n=torch.cat([split.lengths_n for split in splits]),
            left_out=tuple(row for split in splits for row in split.left_out),
        )

    def _files(self) -> FileSplit:
        return FileSplit(Path(self.source), self.names, self.targets_n)


def record_left_out(split: Split, bad_files: BadFiles) -> None:
    """Record the files of a split that could not be read.

    Raises:
        DataError: There are too many.
    """
    for path, reason in split.left_out if isinstance(split, AudioSplit) else ():
        bad_files.record(path, reason)


class SoundPictures(ImageReader):
    """Draws the clips of a split for people."""

    def __init__(self, split: AudioSplit) -> None:
        self._split = split

    def name_of(self, index: int) -> str:
        """Return the name of the clip's file."""
        return self._split.name(index)

    def photo(self, index: int) -> Image.Image:
        """Return the picture of a clip."""
        signal = self._split.signal
        assert signal is not None
        return draw_clip(self._split.values_ncx[index], signal)


def draw_clip(stored_cl: torch.Tensor, signal: SignalInput) -> Image.Image:
    """Draw a stored clip: the waveform of what the network hears, and below it the spectrogram."""
    assert signal.sound is not None
    wave_1cl = middle(as_float(stored_cl[None]), signal.size)
    mels_1cmf = log_mel(wave_1cl, signal.sound)
    return draw_sound(wave_1cl[0].numpy(), mels_1cmf[0, 0].numpy())
