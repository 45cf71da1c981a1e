"""What a worker does: from the numbers of some images to their uint8 pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from PIL import Image
from torch.utils.data import Dataset

from resnext.data.augment.transform import SampleTransform
from resnext.data.config import AugmentConfig
from resnext.data.decode.depth import assumed_of
from resnext.data.decode.image import Photo, decode, decode_bytes, read_file
from resnext.data.names import PackedNames
from resnext.data.prepare.single import prepare_views
from resnext.data.prepare.views import View
from resnext.data.random import Draw, below, derive
from resnext.data.shards.reader import ShardReader
from resnext.data.shards.split import ShardSplit
from resnext.data.split import ArraySplit, FileSplit, Split
from resnext.errors import DataError, DownloadError

_MOST_REPLACEMENTS = 100


@dataclass(frozen=True)
class Request:
    """Images to render, in order.

    Attributes:
        indices: Numbers of the images in their split.
        epoch: Decides the augmentation; evaluation has none.
        size_px: Side of the result.
        soon: Shards to begin to fetch, for later requests.
    """

    indices: tuple[int, ...]
    epoch: int
    size_px: int
    soon: tuple[int, ...] = ()


@dataclass(frozen=True)
class Rendered:
    """Pixels of a request.

    Attributes:
        images_bhwc: uint8, several rows an image where it has several views; None if not
            one file could be read.
        shown_b: Numbers of the images that these are: replacements differ from the request.
        bad: Path and reason of the files that could not be read.
        assumed: Path of the first image whose range of values had to be assumed, and what was.
        failure: Why the images could not be fetched; then there is nothing else. Said in a
            field, since an exception would arrive wrapped in the worker's traceback.
    """

    images_bhwc: torch.Tensor | None
    shown_b: torch.Tensor
    bad: tuple[tuple[str, str], ...] = ()
    assumed: tuple[str, str] = ("", "")
    failure: str | None = None

    def pin_memory(self) -> Rendered:
        """Move the pixels to page-locked memory; torch's loader calls this."""
        images = None if self.images_bhwc is None else self.images_bhwc.pin_memory()
        return replace(self, images_bhwc=images)


class Images:
    """Opens the images of a split one by one."""

    def __init__(self, split: Split, in_channels: int) -> None:
        self._in_channels = in_channels
        self._num = len(split)
        self._arrays = split.images_nhwc if isinstance(split, ArraySplit) else None
        self._shards = ShardReader(split) if isinstance(split, ShardSplit) else None
        self._root = split.root if isinstance(split, FileSplit) else Path()
        self._names = _packed(split.names) if isinstance(split, FileSplit) else None

    def __len__(self) -> int:
        return self._num

    def prepare(self, shards: tuple[int, ...]) -> None:
        """Begin to fetch shards that will soon be needed."""
        if self._shards is not None:
            self._shards.prepare(shards)

    def place(self, index: int) -> str:
        """Say where an image lies; one in memory lies nowhere."""
        return self._shards.place(index) if self._shards is not None else str(self._path(index))

    def open(self, index: int) -> Image.Image:
        """Return an image.

        Raises:
            DataError: Its file or its shard is bad; the message is the reason.
            DownloadError: Its shard cannot be fetched.
        """
        if self._shards is not None:
            return decode_bytes(self._shards.read(index), self._in_channels)
        if self._arrays is None:
            return decode(self._path(index), self._in_channels)
        pixels = self._arrays[index].numpy()
        return Image.fromarray(pixels[:, :, 0] if self._in_channels == 1 else pixels)

    def photo(self, index: int) -> Photo | Image.Image:
        """Return an image; of a file, only the header has been decoded.

        Raises:
            DataError: As `open`.
        """
        if self._shards is not None:
            return Photo(self._shards.read(index), self._in_channels)
        if self._arrays is None:
            return Photo(read_file(self._path(index)), self._in_channels)
        return self.open(index)

    def _path(self, index: int) -> Path:
        assert self._names is not None
        return self._root / self._names[index]


def _packed(names: Sequence[str]) -> PackedNames:
    return names if isinstance(names, PackedNames) else PackedNames(names)


class TrainRenderer(Dataset[Rendered]):
    """Renders augmented training images; a bad file is replaced by another image."""

    def __init__(
        self,
        images: Images,
        augment: AugmentConfig,
        seed: int,
        fill: Sequence[int],
        keep_size: bool,
        exact: bool = False,
    ) -> None:
        self._images = images
        self._augment = augment
        self._seed = seed
        self._fill = list(fill)
        self._keep_size, self._exact = keep_size, exact
        self._transforms: dict[int, SampleTransform] = {}
        self._assumed = ("", "")

    def __getitem__(self, request: Request) -> Rendered:
        try:
            return self._answer(request)
        except DownloadError as error:
            return _failed(error)

    def _answer(self, request: Request) -> Rendered:
        self._images.prepare(request.soon)
        bad: dict[str, str] = {}
        pixels: list[torch.Tensor] = []
        shown: list[int] = []
        self._assumed = ("", "")
        transform = self._transform(request.size_px)
        with torch.random.fork_rng(devices=[]):
            for index in request.indices:
                key = derive(self._seed, Draw.TRANSFORM, request.epoch, index)
                found = self._render(index, partial(transform, seed=key), bad)
                if found is None:
                    return Rendered(None, torch.tensor(shown), tuple(bad.items()))
                pixels.append(found[0])
                shown.append(found[1])
        images_bhwc = torch.stack(pixels)
        return Rendered(images_bhwc, torch.tensor(shown), tuple(bad.items()), self._assumed)

    def _transform(self, size_px: int) -> SampleTransform:
        if size_px not in self._transforms:
            self._transforms[size_px] = SampleTransform(
                self._augment,
                size_px,
                self._fill,
                keep_size=self._keep_size,
                exact=self._exact,
            )
        return self._transforms[size_px]

    def _render(
        self, index: int, vary: Callable[[Photo | Image.Image], torch.Tensor], bad: dict[str, str]
    ) -> tuple[torch.Tensor, int] | None:
        """Vary an image or, if it is bad, another; which one depends on seed and index only."""
        number = index
        for attempt in range(_MOST_REPLACEMENTS):
            try:
                photo = self._images.photo(number)
                pixels = vary(photo)
                if not self._assumed[1] and isinstance(photo, Photo) and photo.assumed:
                    self._assumed = (self._images.place(number), photo.assumed)
                return pixels, number
            except DataError as error:
                bad[self._images.place(number)] = str(error)
            key = derive(self._seed, Draw.REPLACEMENT, attempt)
            number = int(below(len(self._images), key, torch.tensor([index])))
        return None


class EvalRenderer(Dataset[Rendered]):
    """Renders the views of images for evaluation; a bad file is left out."""

    def __init__(self, images: Images, view: View) -> None:
        self._images = images
        self._view = view

    def __getitem__(self, request: Request) -> Rendered:
        try:
            return self._answer(request)
        except DownloadError as error:
            return _failed(error)

    def _answer(self, request: Request) -> Rendered:
        self._images.prepare(request.soon)
        bad: dict[str, str] = {}
        pixels: list[torch.Tensor] = []
        shown: list[int] = []
        assumed = ("", "")
        for index in request.indices:
            try:
                image = self._images.open(index)
                pixels.append(prepare_views(image, self._view))
                shown.append(index)
                if not assumed[1] and (found := assumed_of(image)):
                    assumed = (self._images.place(index), found)
            except DataError as error:
                bad[self._images.place(index)] = str(error)
        images_bhwc = torch.cat(pixels) if pixels else None
        return Rendered(images_bhwc, torch.tensor(shown), tuple(bad.items()), assumed)


def _failed(error: DownloadError) -> Rendered:
    return Rendered(None, torch.empty(0, dtype=torch.int64), failure=str(error))


def check_fetched(rendered: Rendered) -> None:
    """Raise what happened in a worker.

    Raises:
        DownloadError: The images could not be fetched.
    """
    if rendered.failure is not None:
        raise DownloadError(rendered.failure)
