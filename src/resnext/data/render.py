"""What a worker does: from the numbers of some images to their uint8 pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch.utils.data import Dataset

from resnext.data.config import AugmentConfig
from resnext.data.decode import decode
from resnext.data.names import PackedNames
from resnext.data.random import Draw, below, derive
from resnext.data.single import prepare_views
from resnext.data.split import FileSplit, Split
from resnext.data.transform import SampleTransform
from resnext.data.views import View
from resnext.errors import DataError

_MOST_REPLACEMENTS = 100


@dataclass(frozen=True)
class Request:
    """Images to render, in order.

    Attributes:
        indices: Numbers of the images in their split.
        epoch: Decides the augmentation; evaluation has none.
        size_px: Side of the result.
    """

    indices: tuple[int, ...]
    epoch: int
    size_px: int


@dataclass(frozen=True)
class Rendered:
    """Pixels of a request.

    Attributes:
        images_bhwc: uint8, several rows an image where it has several views; None if not
            one file could be read.
        shown_b: Numbers of the images that these are: replacements differ from the request.
        bad: Path and reason of the files that could not be read.
    """

    images_bhwc: torch.Tensor | None
    shown_b: torch.Tensor
    bad: tuple[tuple[str, str], ...] = ()

    def pin_memory(self) -> Rendered:
        """Move the pixels to page-locked memory; torch's loader calls this."""
        images = None if self.images_bhwc is None else self.images_bhwc.pin_memory()
        return Rendered(images, self.shown_b, self.bad)


class Images:
    """Opens the images of a split one by one."""

    def __init__(self, split: Split, in_channels: int) -> None:
        self._in_channels = in_channels
        self._num = len(split)
        self._arrays = None if isinstance(split, FileSplit) else split.images_nhwc
        self._root = split.root if isinstance(split, FileSplit) else Path()
        self._names = PackedNames(split.names) if isinstance(split, FileSplit) else None

    def __len__(self) -> int:
        return self._num

    def path(self, index: int) -> Path:
        """Return where an image lies; only files have a path."""
        assert self._names is not None
        return self._root / self._names[index]

    def open(self, index: int) -> Image.Image:
        """Return an image.

        Raises:
            DataError: Its file is bad; the message is the reason.
        """
        if self._arrays is None:
            return decode(self.path(index), self._in_channels)
        pixels = self._arrays[index].numpy()
        return Image.fromarray(pixels[:, :, 0] if self._in_channels == 1 else pixels)


class TrainRenderer(Dataset[Rendered]):
    """Renders augmented training images; a bad file is replaced by another image."""

    def __init__(
        self,
        images: Images,
        augment: AugmentConfig,
        seed: int,
        fill: Sequence[int],
        keep_size: bool,
    ) -> None:
        self._images = images
        self._augment = augment
        self._seed = seed
        self._fill = list(fill)
        self._keep_size = keep_size
        self._transforms: dict[int, SampleTransform] = {}

    def __getitem__(self, request: Request) -> Rendered:
        bad: dict[str, str] = {}
        pixels: list[torch.Tensor] = []
        shown: list[int] = []
        transform = self._transform(request.size_px)
        with torch.random.fork_rng(devices=[]):
            for index in request.indices:
                found = self._open(index, bad)
                if found is None:
                    return Rendered(None, torch.tensor(shown), tuple(bad.items()))
                image, number = found
                key = derive(self._seed, Draw.TRANSFORM, request.epoch, index)
                pixels.append(transform(image, key))
                shown.append(number)
        return Rendered(torch.stack(pixels), torch.tensor(shown), tuple(bad.items()))

    def _transform(self, size_px: int) -> SampleTransform:
        if size_px not in self._transforms:
            self._transforms[size_px] = SampleTransform(
                self._augment, size_px, self._fill, keep_size=self._keep_size
            )
        return self._transforms[size_px]

    def _open(self, index: int, bad: dict[str, str]) -> tuple[Image.Image, int] | None:
        """Open an image or, if it is bad, another; which one depends on seed and index only."""
        number = index
        for attempt in range(_MOST_REPLACEMENTS):
            try:
                return self._images.open(number), number
            except DataError as error:
                bad[str(self._images.path(number))] = str(error)
            key = derive(self._seed, Draw.REPLACEMENT, attempt)
            number = int(below(len(self._images), key, torch.tensor([index])))
        return None


class EvalRenderer(Dataset[Rendered]):
    """Renders the views of images for evaluation; a bad file is left out."""

    def __init__(self, images: Images, view: View) -> None:
        self._images = images
        self._view = view

    def __getitem__(self, request: Request) -> Rendered:
        bad: dict[str, str] = {}
        pixels: list[torch.Tensor] = []
        shown: list[int] = []
        for index in request.indices:
            try:
                pixels.append(prepare_views(self._images.open(index), self._view))
                shown.append(index)
            except DataError as error:
                bad[str(self._images.path(index))] = str(error)
        images_bhwc = torch.cat(pixels) if pixels else None
        return Rendered(images_bhwc, torch.tensor(shown), tuple(bad.items()))
