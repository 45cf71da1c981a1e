"""The work of a loader worker: from image numbers to uint8 pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch.utils.data import Dataset

from resnext.data.augment.joint import JointTransform
from resnext.data.augment.transform import SampleTransform
from resnext.data.augment.windows import mean_color
from resnext.data.boxes.polygons import Outline
from resnext.data.decode.depth import assumed_of
from resnext.data.decode.image import Photo
from resnext.data.loading.config import TrainLoaderConfig
from resnext.data.prepare.single import prepare_views, to_hwc
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
        masks_bhw: The class of each pixel, uint8, where the targets are masks.
        sizes_b2: Height and width of each image, where the targets are boxes; the rest is padding.
        objects_bm7: There, the rows of the objects; see `boxes.rows`.
        object_masks: There, the masks of each image's objects, uint8 m x h x w, if wanted.
        outlines: There, their outlines, if wanted.
    """

    images_bhwc: torch.Tensor | None
    shown_b: torch.Tensor
    bad: tuple[tuple[str, str], ...] = ()
    assumed: tuple[str, str] = ("", "")
    failure: str | None = None
    masks_bhw: torch.Tensor | None = None
    sizes_b2: torch.Tensor | None = None
    objects_bm7: torch.Tensor | None = None
    object_masks: tuple[torch.Tensor, ...] | None = None
    outlines: tuple[tuple[Outline, ...], ...] | None = None

    def pin_memory(self) -> Rendered:
        """Move the pixels to page-locked memory; called by torch's loader."""
        images = None if self.images_bhwc is None else self.images_bhwc.pin_memory()
        masks = None if self.masks_bhw is None else self.masks_bhw.pin_memory()
        return replace(self, images_bhwc=images, masks_bhw=masks)


class Renderer(Dataset[Rendered]):
    """Handles requests; a failed download is part of the response."""

    def __getitem__(self, request: Request) -> Rendered:
        try:
            return self._answer(request)
        except DownloadError as error:
            return _failed(error)

    def _answer(self, request: Request) -> Rendered:
        raise NotImplementedError


class TrainRenderer(Renderer):
    """Renders augmented training images; a bad file is replaced by another image."""

    def __init__(self, split: Split, info: DataInfo, config: TrainLoaderConfig) -> None:
        self._images = split.reader(info.in_channels)
        self._num_images = len(split)
        self._seed = config.seed
        fill = mean_color(info.mean)
        self._joint = JointTransform(config.augment, fill) if info.targets == "mask" else None
        self._transform = SampleTransform(
            config.augment,
            fill,
            keep_size=split.stored_nhwc is not None,
            exact=config.is_exact,
        )
        self._assumed = ("", "")

    def _answer(self, request: Request) -> Rendered:
        self._images.prepare(request.soon)
        bad: dict[str, str] = {}
        pixels: list[torch.Tensor] = []
        masks: list[torch.Tensor] = []
        shown: list[int] = []
        self._assumed = ("", "")
        with torch.random.fork_rng(devices=[]):
            for index in request.indices:
                key = derive(self._seed, Draw.TRANSFORM, request.epoch, index)
                torch.default_generator.manual_seed(key)  # a program's dataset may draw from it
                found = self._render(index, request.size_px, key, bad)
                if found is None:
                    return Rendered(None, torch.tensor(shown), tuple(bad.items()))
                pixels.append(found[0])
                if found[1] is not None:
                    masks.append(found[1])
                shown.append(found[2])
        return Rendered(
            torch.stack(pixels),
            torch.tensor(shown),
            tuple(bad.items()),
            self._assumed,
            masks_bhw=torch.stack(masks) if masks else None,
        )

    def _render(
        self, index: int, size_px: int, seed: int, bad: dict[str, str]
    ) -> tuple[torch.Tensor, torch.Tensor | None, int] | None:
        """Augment an image or, if it is bad, a replacement that depends only on seed and index."""
        number = index
        for attempt in range(_MAX_REPLACEMENTS):
            try:
                photo = self._images.photo(number)
                mask: torch.Tensor | None = None
                if self._joint is None:
                    pixels = self._transform(photo, size_px=size_px, seed=seed)
                else:
                    pixels, mask = self._joint(photo, self._images.mask(number), size_px, seed)
                if not self._assumed[1] and isinstance(photo, Photo) and photo.assumed:
                    self._assumed = (self._images.name_of(number), photo.assumed)
                return pixels, mask, number
            except DataError as error:
                bad[self._images.name_of(number)] = str(error)
            key = derive(self._seed, Draw.REPLACEMENT, attempt)
            number = int(below(self._num_images, key, torch.tensor([index])))
        return None


class EvalRenderer(Renderer):
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


class WholeRenderer(Renderer):
    """Renders images of one size as they are, with their masks; a bad file is left out."""

    def __init__(self, images: ImageReader) -> None:
        self._images = images

    def _answer(self, request: Request) -> Rendered:
        bad: dict[str, str] = {}
        pixels: list[torch.Tensor] = []
        masks: list[torch.Tensor] = []
        shown: list[int] = []
        assumed = ("", "")
        for index in request.indices:
            try:
                image = self._images.open(index)
                mask_hw = self._images.mask(index)
                if mask_hw.shape != (image.height, image.width):
                    raise DataError("the mask does not have the size of the image; create it again")
            except DataError as error:
                bad[self._images.name_of(index)] = str(error)
                continue
            pixels.append(to_hwc(image))
            masks.append(torch.from_numpy(mask_hw))
            shown.append(index)
            if not assumed[1] and (found := assumed_of(image)):
                assumed = (self._images.name_of(index), found)
        return Rendered(
            torch.stack(pixels) if pixels else None,
            torch.tensor(shown),
            tuple(bad.items()),
            assumed,
            masks_bhw=torch.stack(masks) if masks else None,
        )


def _failed(error: DownloadError) -> Rendered:
    return Rendered(None, torch.empty(0, dtype=torch.int64), failure=str(error))
