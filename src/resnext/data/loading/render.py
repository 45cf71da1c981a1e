"""The work of a loader worker: from image numbers to uint8 pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
from PIL import Image
from torch.utils.data import Dataset

from resnext.data.augment.transform import SampleTransform
from resnext.data.augment.windows import mean_color
from resnext.data.decode.depth import assumed_of
from resnext.data.decode.image import Photo
from resnext.data.loading.config import TrainLoaderConfig
from resnext.data.prepare.single import prepare_views
from resnext.data.prepare.views import View
from resnext.data.random import Draw, below, derive
from resnext.data.split import DataInfo, ImageReader, Split
from resnext.errors import DataError, DownloadError

_MAX_REPLACEMENTS = 100


@dataclass(frozen=True)
class Request:
    """Images to render, in order.

    Attributes:
        indices: Numbers of the images in their split.
        epoch: Epoch, which determines the augmentation; not used in evaluation.
        size_px: Side of the result.
        soon: Shards to prefetch for later requests.
    """

    indices: tuple[int, ...]
    epoch: int
    size_px: int
    soon: tuple[int, ...] = ()


@dataclass(frozen=True)
class Rendered:
    """Pixels of a request.

    Attributes:
        images_bhwc: uint8, one row per view of each image; None if no file could be read.
        shown_b: Numbers of the rendered images; replacements differ from the request.
        bad: Path and reason of the files that could not be read.
        assumed: Path of the first image whose value range had to be assumed, and the assumption.
        failure: Why the images could not be fetched; then all else is empty. A field, because an
            exception would arrive wrapped in the worker's traceback.
    """

    images_bhwc: torch.Tensor | None
    shown_b: torch.Tensor
    bad: tuple[tuple[str, str], ...] = ()
    assumed: tuple[str, str] = ("", "")
    failure: str | None = None

    def pin_memory(self) -> Rendered:
        """Move the pixels to page-locked memory; called by torch's loader."""
        images = None if self.images_bhwc is None else self.images_bhwc.pin_memory()
        return replace(self, images_bhwc=images)


class _Renderer(Dataset[Rendered]):
    """Handles requests; a failed download is part of the response."""

    def __getitem__(self, request: Request) -> Rendered:
        try:
            return self._answer(request)
        except DownloadError as error:
            return _failed(error)

    def _answer(self, request: Request) -> Rendered:
        raise NotImplementedError


class TrainRenderer(_Renderer):
    """Renders augmented training images; a bad file is replaced by another image."""

    def __init__(self, split: Split, info: DataInfo, config: TrainLoaderConfig) -> None:
        self._images = split.reader(info.in_channels)
        self._num_images = len(split)
        self._seed = config.seed
        self._transform = SampleTransform(
            config.augment,
            mean_color(info.mean),
            keep_size=split.stored_nhwc is not None,
            exact=config.is_exact,
        )
        self._assumed = ("", "")

    def _answer(self, request: Request) -> Rendered:
        self._images.prepare(request.soon)
        bad: dict[str, str] = {}
        pixels: list[torch.Tensor] = []
        shown: list[int] = []
        self._assumed = ("", "")
        with torch.random.fork_rng(devices=[]):
            for index in request.indices:
                key = derive(self._seed, Draw.TRANSFORM, request.epoch, index)
                found = self._render(
                    index, partial(self._transform, size_px=request.size_px, seed=key), bad
                )
                if found is None:
                    return Rendered(None, torch.tensor(shown), tuple(bad.items()))
                pixels.append(found[0])
                shown.append(found[1])
        images_bhwc = torch.stack(pixels)
        return Rendered(images_bhwc, torch.tensor(shown), tuple(bad.items()), self._assumed)

    def _render(
        self, index: int, vary: Callable[[Photo | Image.Image], torch.Tensor], bad: dict[str, str]
    ) -> tuple[torch.Tensor, int] | None:
        """Augment an image or, if it is bad, a replacement that depends only on seed and index."""
        number = index
        for attempt in range(_MAX_REPLACEMENTS):
            try:
                photo = self._images.photo(number)
                pixels = vary(photo)
                if not self._assumed[1] and isinstance(photo, Photo) and photo.assumed:
                    self._assumed = (self._images.name_of(number), photo.assumed)
                return pixels, number
            except DataError as error:
                bad[self._images.name_of(number)] = str(error)
            key = derive(self._seed, Draw.REPLACEMENT, attempt)
            number = int(below(self._num_images, key, torch.tensor([index])))
        return None


class EvalRenderer(_Renderer):
    """Renders the views of images for evaluation; bad files are left out."""

    def __init__(self, images: ImageReader, view: View) -> None:
        self._images = images
        self._view = view

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
                    assumed = (self._images.name_of(index), found)
            except DataError as error:
                bad[self._images.name_of(index)] = str(error)
        images_bhwc = torch.cat(pixels) if pixels else None
        return Rendered(images_bhwc, torch.tensor(shown), tuple(bad.items()), assumed)


def _failed(error: DownloadError) -> Rendered:
    return Rendered(None, torch.empty(0, dtype=torch.int64), failure=str(error))
