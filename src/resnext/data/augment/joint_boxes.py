"""The variation of an image together with its boxes: part, mirror image, scale, colours.

Legend: h x w pixels, c channels, m objects.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torchvision import tv_tensors
from torchvision.transforms import v2

from resnext.data.augment.config import AugmentConfig
from resnext.data.augment.mix import is_mixing
from resnext.data.boxes.box_set import BoxImage
from resnext.data.boxes.polygons import Outline, draw_masks_at
from resnext.data.boxes.rows import CROWD, LABEL, Rows, rows_of
from resnext.data.decode.image import Photo
from resnext.data.prepare.single import to_hwc
from resnext.errors import ConfigError, DataError

_MIN_PART_PX = 16
"""Smaller images are taken whole: parts of them show nothing."""

_MIN_BOX_PX = 1.0

_MAX_MASK_BYTES = 2**31
"""Of the masks of one image: 2,000 objects in 800x1333 pixels."""


@dataclass(frozen=True, eq=False)
class Varied:
    """A varied image.

    Attributes:
        pixels_hwc: uint8.
        rows_m7: Its objects; see `boxes.rows`.
        masks_mhw: Their masks, uint8 of 0 and 1, where they are wanted.
    """

    pixels_hwc: torch.Tensor
    rows_m7: Rows
    masks_mhw: torch.Tensor | None = None


class BoxTransform:
    """Cuts, mirrors and scales an image with its boxes, and varies its colours.

    The result has the size at which the network sees it; the network does not resize again. The
    filter is the one of torchvision's detectors, without smoothing.
    """

    def __init__(
        self, augment: AugmentConfig, max_ratio: float, *, with_masks: bool = False
    ) -> None:
        """Take the settings.

        Args:
            augment: What to do.
            max_ratio: Largest long side, in units of the short side.
            with_masks: Also vary the masks of the objects.

        Raises:
            ConfigError: A setting does not suit boxes.
        """
        check_box_augment(augment)
        self._augment, self._max_ratio, self._with_masks = augment, max_ratio, with_masks
        self._part = v2.RandomIoUCrop() if augment.crop == "objects" else None
        self._flip = v2.RandomHorizontalFlip(0.5) if augment.flip else None
        strength = augment.color_jitter
        self._jitter = v2.ColorJitter(strength, strength, strength) if strength else None
        self._clean = v2.SanitizeBoundingBoxes(min_size=_MIN_BOX_PX, labels_getter=_kept_with_boxes)

    def __call__(
        self, photo: Photo | Image.Image, objects: BoxImage, size_px: int, seed: int
    ) -> Varied:
        """Vary an image and its boxes; crowd regions are left out.

        The state of torch's generator is changed; callers keep and restore it.

        Args:
            photo: An image, decoded (mode RGB or L) or not.
            objects: Its size and its objects.
            size_px: Short side of the result before variation.
            seed: Decides everything that is random.

        Returns:
            The image, with the objects that are left.

        Raises:
            DataError: The image cannot be decoded, is not as large as its annotations say, is too
                long and narrow, or has so many objects that their masks would take too much memory.
        """
        image = open_image(photo, objects)
        rows_m7 = rows_of(objects)
        is_object_m = rows_m7[:, CROWD] == 0
        rows_m7, numbers_m = rows_m7[is_object_m], np.flatnonzero(is_object_m)
        # Not torch.manual_seed: that would also reseed the accelerator's generator.
        torch.default_generator.manual_seed(seed)
        boxes = tv_tensors.BoundingBoxes(
            torch.from_numpy(rows_m7[:, :4].astype(np.float32)),
            format="XYXY",
            canvas_size=(image.height, image.width),
        )
        pixels = tv_tensors.Image(to_hwc(image).permute(2, 0, 1))
        sample = {
            "image": pixels,
            "boxes": boxes,
            "rows": torch.from_numpy(rows_m7),
            "numbers": torch.from_numpy(numbers_m),
        }
        if self._with_masks:
            sample |= _pixel_numbers(image.height, image.width)
        if self._part is not None and len(rows_m7) and min(image.size) >= _MIN_PART_PX:
            sample = self._part(sample)
        if self._with_masks:
            sample["lines"] = tv_tensors.Mask(sample["lines"][:, :1])
            sample["columns"] = tv_tensors.Mask(sample["columns"][:1])
        if self._flip is not None:
            sample = self._flip(sample)
        sides = self._draw_sides(tuple(sample["image"].shape[-2:]), size_px)
        sample = v2.Resize(list(sides), antialias=False)(sample)
        lines_hw, columns_hw = sample.pop("lines", None), sample.pop("columns", None)
        if self._jitter is not None:
            sample = self._jitter(sample)
        sample = self._clean(sample)
        kept_m7 = sample["rows"].numpy().copy()
        kept_m7[:, :LABEL] = sample["boxes"].numpy()
        pixels_hwc = sample["image"].as_subclass(torch.Tensor).permute(1, 2, 0).contiguous()
        masks_mhw = None
        if lines_hw is not None and columns_hw is not None:
            outlines = [objects.outlines[number] for number in sample["numbers"].tolist()]
            masks_mhw = _draw_masks(outlines, lines_hw[:, 0], columns_hw[0])
        return Varied(pixels_hwc, kept_m7, masks_mhw)

    def _draw_sides(self, sides: tuple[int, ...], size_px: int) -> tuple[int, int]:
        factor = 1.0
        if self._augment.crop in ("scaled", "objects"):
            low, high = self._augment.scale
            factor = low + float(torch.rand(())) * (high - low)
        return resized_sides(sides, factor * size_px, self._max_ratio)


def _kept_with_boxes(sample: dict[str, torch.Tensor]) -> tuple[torch.Tensor, ...]:
    """Return what is left out together with a box."""
    return sample["rows"], sample["numbers"]


def _pixel_numbers(height: int, width: int) -> dict[str, torch.Tensor]:
    """Return the row and the column of each pixel, h x w, without taking memory for each.

    Varied like masks, they tell which pixels of the image the result shows, so that the masks need
    only be drawn there.
    """
    # Sides are below 2**24, and so exact in float32, which is resized without another copy.
    lines_h, columns_w = torch.arange(height).float(), torch.arange(width).float()
    return {
        "lines": tv_tensors.Mask(lines_h[:, None].expand(height, width)),
        "columns": tv_tensors.Mask(columns_w.expand(height, width)),
    }


def _draw_masks(
    outlines: list[Outline], lines_h: torch.Tensor, columns_w: torch.Tensor
) -> torch.Tensor:
    """Draw the masks of objects at the pixels that an image shows, m x h x w.

    Raises:
        DataError: They would take too much memory.
    """
    size = (len(lines_h), len(columns_w))
    if (num_bytes := len(outlines) * math.prod(size)) > _MAX_MASK_BYTES:
        raise DataError(
            f"the masks of its {len(outlines):,} objects, {size[1]}x{size[0]} pixels each, would "
            f"take {num_bytes / 2**30:.1f} GiB, but at most {_MAX_MASK_BYTES / 2**30:.1f} GiB are "
            "used for an image; cut it into parts, or use a smaller --image-size"
        )
    numbers = (numbers.numpy().astype(np.int64) for numbers in (lines_h, columns_w))
    return torch.from_numpy(draw_masks_at(outlines, *numbers))


def open_image(photo: Photo | Image.Image, objects: BoxImage) -> Image.Image:
    """Decode an image and compare its size with that of its annotations.

    Raises:
        DataError: It cannot be decoded, or its boxes do not fit.
    """
    image = photo.load() if isinstance(photo, Photo) else photo
    if image.size != (objects.width, objects.height):
        raise DataError(
            f"the image is {image.width}x{image.height} pixels, but its annotations say "
            f"{objects.width}x{objects.height}, so its boxes are wrong; correct the annotations"
        )
    return image


def resized_sides(sides: tuple[int, ...], short_px: float, max_ratio: float) -> tuple[int, int]:
    """Return height and width of an image as a detector resizes it.

    Args:
        sides: Height and width.
        short_px: Wanted short side.
        max_ratio: Largest long side, in units of the short side.

    Raises:
        DataError: Nothing would be left of the short side.
    """
    scale = min(short_px / min(sides), max_ratio * short_px / max(sides))
    height, width = (int(side * scale) for side in sides)
    if min(height, width) < 1:
        raise DataError("the image is too long and narrow; crop it")
    return height, width


def check_box_augment(augment: AugmentConfig) -> None:
    """Refuse variation that boxes would not follow.

    Raises:
        ConfigError: There is some.
    """
    remedy = "for boxes, vary with augment.crop=scaled or objects, scale, flip and color_jitter"
    if augment.crop not in ("none", "scaled", "objects"):
        raise ConfigError(f"augment.crop={augment.crop} cannot be combined with boxes; {remedy}")
    if augment.policy != "none":
        raise ConfigError(
            f"augment.policy={augment.policy} cannot be combined with boxes; {remedy}"
        )
    for name in ("erasing", "lighting"):
        if value := getattr(augment, name):
            raise ConfigError(f"augment.{name}={value} cannot be combined with boxes; {remedy}")
    if is_mixing(augment):
        raise ConfigError(
            f"augment.mixup and augment.cutmix cannot be combined with boxes; {remedy}"
        )
