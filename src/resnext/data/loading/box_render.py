"""The work of a loader worker for images with boxes. Legend: b images, m objects of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F

from resnext.data.augment.joint_boxes import BoxTransform, Varied, open_image, resized_sides
from resnext.data.boxes.polygons import Outline
from resnext.data.boxes.rows import Rows, pad_rows, rows_of
from resnext.data.decode.depth import assumed_of
from resnext.data.decode.image import Photo
from resnext.data.loading.config import TrainLoaderConfig
from resnext.data.loading.render import Rendered, Renderer, Request
from resnext.data.prepare.single import to_hwc
from resnext.data.random import Draw, below, derive
from resnext.data.split import DataInfo, ImageReader, Split
from resnext.errors import DataError

_MAX_REPLACEMENTS = 100


class BoxTrainRenderer(Renderer):
    """Renders varied training images with their boxes; a bad file is replaced by another image."""

    def __init__(
        self,
        split: Split,
        info: DataInfo,
        config: TrainLoaderConfig,
        max_ratio: float,
        *,
        with_masks: bool,
    ) -> None:
        self._images = split.reader(info.in_channels)
        self._num_images = len(split)
        self._seed = config.seed
        self._transform = BoxTransform(config.augment, max_ratio, with_masks=with_masks)

    def _answer(self, request: Request) -> Rendered:
        bad: dict[str, str] = {}
        varied: list[Varied] = []
        shown: list[int] = []
        assumed = ("", "")
        with torch.random.fork_rng(devices=[]):
            for index in request.indices:
                key = derive(self._seed, Draw.TRANSFORM, request.epoch, index)
                found = self._render(index, request.size_px, key, bad)
                if found is None:
                    return Rendered(None, torch.tensor(shown), tuple(bad.items()))
                image, number, text = found
                varied.append(image)
                shown.append(number)
                if not assumed[1] and text:
                    assumed = (self._images.name_of(number), text)
        pixels = [image.pixels_hwc for image in varied]
        joined = _join(pixels, [image.rows_m7 for image in varied], shown, bad, assumed)
        masks = tuple(image.masks_mhw for image in varied if image.masks_mhw is not None)
        return replace(joined, object_masks=masks or None)

    def _render(
        self, index: int, size_px: int, seed: int, bad: dict[str, str]
    ) -> tuple[Varied, int, str] | None:
        """Vary an image or, if it is bad, a replacement that depends only on seed and index."""
        number = index
        for attempt in range(_MAX_REPLACEMENTS):
            try:
                photo, objects = self._images.photo(number), self._images.objects(number)
                varied = self._transform(photo, objects, size_px, seed)
                return varied, number, photo.assumed if isinstance(photo, Photo) else ""
            except DataError as error:
                bad[self._images.name_of(number)] = str(error)
            key = derive(self._seed, Draw.REPLACEMENT, attempt)
            number = int(below(self._num_images, key, torch.tensor([index])))
        return None


class BoxEvalRenderer(Renderer):
    """Renders images as they are, with their boxes; a bad file is left out."""

    def __init__(
        self, images: ImageReader, max_ratio: float, *, with_outlines: bool = False
    ) -> None:
        self._images = images
        self._max_ratio = max_ratio
        self._with_outlines = with_outlines

    def _answer(self, request: Request) -> Rendered:
        bad: dict[str, str] = {}
        pixels: list[torch.Tensor] = []
        rows: list[Rows] = []
        outlines: list[tuple[Outline, ...]] = []
        shown: list[int] = []
        assumed = ("", "")
        for index in request.indices:
            objects = self._images.objects(index)
            try:
                image = open_image(self._images.photo(index), objects)
                resized_sides((image.height, image.width), request.size_px, self._max_ratio)
                pixels.append(to_hwc(image))
            except DataError as error:
                bad[self._images.name_of(index)] = str(error)
                continue
            rows.append(rows_of(objects))
            outlines.append(objects.outlines or ((),) * len(objects.labels_n))
            shown.append(index)
            if not assumed[1] and (text := assumed_of(image)):
                assumed = (self._images.name_of(index), text)
        joined = _join(pixels, rows, shown, bad, assumed)
        return replace(joined, outlines=tuple(outlines)) if self._with_outlines else joined


def _join(
    pixels: Sequence[torch.Tensor],
    rows: Sequence[Rows],
    shown: Sequence[int],
    bad: dict[str, str],
    assumed: tuple[str, str],
) -> Rendered:
    """Join images of several sizes, black on the right and below where one is smaller."""
    sizes = [(int(image.shape[0]), int(image.shape[1])) for image in pixels]
    height, width = (max((size[axis] for size in sizes), default=0) for axis in (0, 1))
    padded = [
        F.pad(image_hwc, (0, 0, 0, width - size[1], 0, height - size[0]))
        for image_hwc, size in zip(pixels, sizes, strict=True)
    ]
    return Rendered(
        torch.stack(padded) if padded else None,
        torch.tensor(shown, dtype=torch.int64),
        tuple(bad.items()),
        assumed,
        sizes_b2=torch.tensor(sizes, dtype=torch.int64).reshape(-1, 2),
        objects_bm7=torch.from_numpy(pad_rows(rows)),
    )
