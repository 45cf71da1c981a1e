"""The variation of an image together with its mask: scale, window, colours.

Mirroring follows in batches, as for all images.
Legend: h x w pixels, c channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torchvision.transforms import v2

from resnext.data.augment.config import AugmentConfig
from resnext.data.augment.mix import is_mixing
from resnext.data.decode.image import Photo
from resnext.data.prepare.single import to_hwc
from resnext.data.targets import IGNORED
from resnext.errors import ConfigError, DataError

Mask = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Window:
    """A part of an image, and where it lies in the result.

    Attributes:
        box: Left, top, right, bottom in the image; they need not be whole numbers.
        place: Left, top, width, height in the result, in pixels.
    """

    box: tuple[float, float, float, float]
    place: tuple[int, int, int, int]


class JointTransform:
    """Scales image and mask alike, and cuts the same window out of both.

    The image is interpolated, the mask takes the nearest pixel. Where the scaled image is smaller
    than the window, the image is filled up with one colour and the mask with `IGNORED`.
    """

    def __init__(self, augment: AugmentConfig, fill: Sequence[int]) -> None:
        """Take the settings.

        Args:
            augment: What to do.
            fill: Colour around images that are too small.

        Raises:
            ConfigError: A setting does not suit masks.
        """
        check_mask_augment(augment)
        self._scale = augment.scale if augment.crop == "scaled" else None
        self._fill = tuple(fill)
        self._jitter: v2.ColorJitter | None = None
        if augment.color_jitter:
            strength = augment.color_jitter
            self._jitter = v2.ColorJitter(strength, strength, strength)

    def __call__(
        self, photo: Photo | Image.Image, mask_hw: Mask, size_px: int, seed: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Vary an image and its mask.

        The state of torch's generator is changed; callers keep and restore it.

        Args:
            photo: An image, decoded (mode RGB or L) or not.
            mask_hw: The class of each of its pixels.
            size_px: Side of the result.
            seed: Decides everything that is random.

        Returns:
            uint8 size_px x size_px x c, and uint8 size_px x size_px.

        Raises:
            DataError: The image cannot be decoded, or the mask has another size.
        """
        image = photo.load() if isinstance(photo, Photo) else photo
        if mask_hw.shape != (image.height, image.width):
            raise DataError("the mask does not have the size of the image; create it again")
        # Not torch.manual_seed: that would also reseed the accelerator's generator.
        torch.default_generator.manual_seed(seed)
        window = self._draw(image.size, size_px)
        left, top, width, height = window.place
        part = image.resize((width, height), Image.Resampling.BILINEAR, window.box)
        mask = Image.fromarray(mask_hw).resize(
            (width, height), Image.Resampling.NEAREST, window.box
        )
        if self._jitter is not None:
            part = self._jitter(part)
        if (width, height) == (size_px, size_px):
            return to_hwc(part), torch.from_numpy(np.array(mask))
        whole = Image.new(image.mode, (size_px, size_px), self._color(image.mode))
        whole.paste(part, (left, top))
        whole_mask = Image.new("L", (size_px, size_px), IGNORED)
        whole_mask.paste(mask, (left, top))
        return to_hwc(whole), torch.from_numpy(np.array(whole_mask))

    def _draw(self, size: tuple[int, int], size_px: int) -> Window:
        """Draw the window; without `scaled` it is the middle at the image's own scale."""
        if self._scale is None:
            return window_of(size, size, size_px, (0.5, 0.5))
        draws = torch.rand(3).tolist()
        low, high = self._scale
        factor = low + draws[0] * (high - low)
        scaled = (max(round(size[0] * factor), 1), max(round(size[1] * factor), 1))
        return window_of(size, scaled, size_px, (draws[1], draws[2]))

    def _color(self, mode: str) -> tuple[int, ...] | int:
        return self._fill if mode == "RGB" else self._fill[0]


def window_of(
    size: tuple[int, int], scaled: tuple[int, int], size_px: int, draws: tuple[float, float]
) -> Window:
    """Return a window of a scaled image, in the coordinates of the image itself.

    Args:
        size: Width and height of the image.
        scaled: Width and height after scaling.
        size_px: Side of the window.
        draws: 0..1: where the window lies between left and right, top and bottom.
    """
    box, place, extents = [], [], []
    for length, scaled_length, draw in zip(size, scaled, draws, strict=True):
        free = scaled_length - size_px
        start = min(int(draw * (abs(free) + 1)), abs(free))
        extent = min(scaled_length, size_px)
        first = start if free > 0 else 0
        ratio = length / scaled_length
        box.append((first * ratio, min((first + extent) * ratio, float(length))))
        place.append(start if free < 0 else 0)
        extents.append(extent)
    (left, right), (top, bottom) = box
    return Window((left, top, right, bottom), (place[0], place[1], extents[0], extents[1]))


def check_mask_augment(augment: AugmentConfig) -> None:
    """Refuse variation that would not be the same for image and mask.

    Raises:
        ConfigError: There is some.
    """
    remedy = "for masks, vary with augment.crop=scaled, flip, color_jitter and lighting"
    if augment.crop not in ("none", "scaled"):
        raise ConfigError(f"augment.crop={augment.crop} cannot be combined with masks; {remedy}")
    if augment.policy != "none":
        raise ConfigError(
            f"augment.policy={augment.policy} cannot be combined with masks; {remedy}"
        )
    if augment.erasing:
        raise ConfigError(
            f"augment.erasing={augment.erasing} cannot be combined with masks; {remedy}"
        )
    if is_mixing(augment):
        raise ConfigError(
            f"augment.mixup and augment.cutmix cannot be combined with masks; {remedy}"
        )
