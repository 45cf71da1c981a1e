"""A split of video files, decoded clip by clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import torch
from PIL import Image

from resnext.data.signals.clips import ClipPlan, even_starts, read_clip
from resnext.data.split import ImageReader, Split
from resnext.errors import ConfigError
from resnext.model.signal import SignalInput

_NUM_SHOWN = 4


@dataclass(frozen=True)
class VideoSplit(Split):
    """Videos with one class each.

    Attributes:
        root: Folder of the split.
        names: Paths of the videos below it.
        frames_n: Number of frames of each, int64.
        targets_n: Class of each, int64.
        signal: How clips are taken.
    """

    root: Path
    names: tuple[str, ...]
    frames_n: torch.Tensor
    targets_n: torch.Tensor
    signal: SignalInput

    def name(self, index: int) -> str:
        """Return the path of a video below the folder of the split."""
        return self.names[index]

    def path(self, index: int) -> Path:
        """Return the path of a video."""
        return self.root / self.names[index]

    def reader(self, in_channels: int) -> ImageReader:
        """Refuse: videos are no pictures.

        Raises:
            ConfigError: Always.
        """
        del in_channels
        raise ConfigError(
            f"{self.root} holds videos, not images; train, evaluate, predict and describe work on "
            "videos, but this command works only on images"
        )

    def pictures(self, in_channels: int) -> ImageReader:
        """Return what draws some frames of each video side by side."""
        del in_channels
        return _Strips(self)

    def middle_clip(self, index: int) -> torch.Tensor:
        """Decode the clip in the middle of a video: uint8, c x t x s x s.

        Raises:
            DataError: It cannot be read; the message names it.
        """
        starts = even_starts(int(self.frames_n[index]), self.signal)
        return read_clip(self.path(index), ClipPlan(starts[len(starts) // 2]), self.signal)

    def choose(self, indices_n: torch.Tensor) -> Self:
        """Return the split of some videos."""
        return replace(
            self,
            names=tuple(self.names[index] for index in indices_n.tolist()),
            frames_n=self.frames_n[indices_n],
            targets_n=self.targets_n[indices_n],
        )

    def join(self, others: Sequence[Self]) -> Self:
        """Put other splits behind this one, with paths below their common folder."""
        splits = [self, *others]
        root = self.root.parent
        return replace(
            self,
            root=root,
            names=tuple(
                str(split.path(index).relative_to(root))
                for split in splits
                for index in range(len(split))
            ),
            frames_n=torch.cat([split.frames_n for split in splits]),
            targets_n=torch.cat([split.targets_n for split in splits]),
        )


class _Strips(ImageReader):
    def __init__(self, split: VideoSplit) -> None:
        self._split = split

    def name_of(self, index: int) -> str:
        return self._split.name(index)

    def photo(self, index: int) -> Image.Image:
        return draw_strip(self._split.middle_clip(index))


def draw_strip(clip_ctss: torch.Tensor) -> Image.Image:
    """Draw a few frames of a clip, in a square: time runs as text does."""
    num = clip_ctss.shape[1]
    chosen = torch.linspace(0, num - 1, min(_NUM_SHOWN, num)).round().long()
    frames = [clip_ctss[:, frame].permute(1, 2, 0).numpy() for frame in chosen.tolist()]
    side = clip_ctss.shape[-1]
    columns = 2 if len(frames) > 1 else 1
    rows = -(-len(frames) // columns)
    image = Image.new("RGB", (columns * side, rows * side), "white")
    for number, frame in enumerate(frames):
        image.paste(Image.fromarray(frame), (number % columns * side, number // columns * side))
    return image
