"""A split of signals that are held in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import torch
from PIL import Image

from resnext.data.decode.audio import FULL_SCALE
from resnext.data.signals.picture import draw_signal
from resnext.data.split import ImageReader, Split
from resnext.errors import ConfigError


@dataclass(frozen=True)
class SignalSplit(Split):
    """Signals held in memory, all of one size.

    Attributes:
        values_ncx: n x c x the sides: float32, NaN where there is no value; uint8, read as parts
            of 255; int16, read as parts of 32,768; or int32, numbers of tokens.
        targets_n: A row for each signal; see `TargetKind`.
        numbers_n: Number of each signal in the file that it comes from, int64.
        source: Name of that file.
    """

    values_ncx: torch.Tensor
    targets_n: torch.Tensor
    numbers_n: torch.Tensor
    source: str = ""

    def name(self, index: int) -> str:
        """Return the file's name with the number of the signal in it, from 0."""
        return f"{self.source}[{int(self.numbers_n[index])}]"

    def values(self, indices_b: torch.Tensor) -> torch.Tensor:
        """Return some signals as float32, b x c x the sides, on the CPU."""
        return as_float(self.values_ncx[indices_b])

    def reader(self, in_channels: int) -> ImageReader:
        """Refuse: signals are no pictures.

        Raises:
            ConfigError: Always.
        """
        del in_channels
        raise ConfigError(
            f"{self.source or 'this set'} holds signals, not images; train, evaluate, predict and "
            "describe work on signals, but this command works only on images"
        )

    def pictures(self, in_channels: int) -> ImageReader:
        """Return what draws the signals: a curve for each channel, or the middle slices."""
        del in_channels
        return SignalPictures(self)

    def choose(self, indices_n: torch.Tensor) -> Self:
        """Return the split of some signals."""
        return replace(
            self,
            values_ncx=self.values_ncx[indices_n],
            targets_n=self.targets_n[indices_n],
            numbers_n=self.numbers_n[indices_n],
        )

    def join(self, others: Sequence[Self]) -> Self:
        """Put other splits behind this one."""
        splits = [self, *others]
        return replace(
            self,
            values_ncx=torch.cat([split.values_ncx for split in splits]),
            targets_n=torch.cat([split.targets_n for split in splits]),
            numbers_n=torch.cat([split.numbers_n for split in splits]),
        )


def as_float(values: torch.Tensor) -> torch.Tensor:
    """Return stored values as float32: bytes and samples as parts, token numbers as they are."""
    if values.dtype == torch.uint8:
        return values.to(torch.float32) / 255
    if values.dtype == torch.int16:
        return values.to(torch.float32) / FULL_SCALE
    return values.to(torch.float32)


class SignalPictures(ImageReader):
    """Draws the signals of a split for people."""

    def __init__(self, split: SignalSplit) -> None:
        self._split = split

    def name_of(self, index: int) -> str:
        """Return the signal's name."""
        return self._split.name(index)

    def photo(self, index: int) -> Image.Image:
        """Return the picture of a signal."""
        return draw_signal(self._split.values(torch.tensor([index]))[0].numpy())
