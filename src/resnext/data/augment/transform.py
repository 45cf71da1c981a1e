"""The augmentations that are applied to one image at a time, by torchvision's v2."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from PIL import Image
from torchvision.transforms import v2

from resnext.data.augment.config import AugmentConfig
from resnext.data.decode.image import Photo
from resnext.data.decode.jpeg import Box, coarsest_factor
from resnext.data.prepare.preparation import Preparation
from resnext.data.prepare.single import to_hwc


def is_per_sample(augment: AugmentConfig) -> bool:
    """Return whether any augmentation must be done image by image."""
    return augment.crop == "resized" or augment.color_jitter > 0 or augment.policy != "none"


class SampleTransform:
    """Crops, jitters and distorts one image, as a function of the image and a seed.

    The order is the paper's: crop, then colours. The rest of the augmentation (pad and
    crop, mirroring, lighting, erasing, mixing) follows in batches on the device.
    """

    def __init__(
        self,
        augment: AugmentConfig,
        fill: Sequence[int],
        *,
        keep_size: bool,
        exact: bool = False,
    ) -> None:
        """Prepare the chain.

        Args:
            augment: What to do.
            fill: Colour of the areas that a policy's rotation or shift uncovers.
            keep_size: Without a resized crop, leave the image's size as it is.
            exact: Cut a resized crop from the image at full size, even where a coarser
                scale of its file would do, and resize it by Pillow: torchvision's pixels.
        """
        self._keep_size, self._exact = keep_size, exact
        self._random_crop: v2.RandomResizedCrop | None = None
        if augment.crop == "resized":
            # It only draws the box, for which it needs no size of the result.
            self._random_crop = v2.RandomResizedCrop(1, scale=augment.area)
        self._steps: list[Callable[[Image.Image], Image.Image]] = []
        if augment.color_jitter:
            strength = augment.color_jitter
            self._steps.append(v2.ColorJitter(strength, strength, strength))
        if augment.policy == "randaugment":
            self._steps.append(v2.RandAugment(fill=list(fill)))
        elif augment.policy == "trivialaugment":
            self._steps.append(v2.TrivialAugmentWide(fill=list(fill)))

    def __call__(self, photo: Photo | Image.Image, size_px: int, seed: int) -> torch.Tensor:
        """Augment an image.

        The state of torch's generator is changed; callers keep and restore it.

        Args:
            photo: An image, decoded (mode RGB or L) or not.
            size_px: Side of the result.
            seed: Seed of all randomness.

        Returns:
            uint8 h x w x c.

        Raises:
            DataError: The image cannot be decoded.
        """
        # Not torch.manual_seed: that would also reseed the accelerator's generator.
        torch.default_generator.manual_seed(seed)
        if self._random_crop is not None:
            box = self._draw_box(self._random_crop, photo.size)
            pixels_hwc = resized_crop(photo, box, size_px, exact=self._exact)
            return self._vary(_to_image(pixels_hwc)) if self._steps else pixels_hwc
        image = photo.load() if isinstance(photo, Photo) else photo
        if not self._keep_size:
            image = Preparation(size_px).crop(image)
        return self._vary(image)

    def _draw_box(self, random_crop: v2.RandomResizedCrop, size: tuple[int, int]) -> Box:
        """Draw the crop from the size alone, as torchvision draws it from an image."""
        width, height = size
        drawn = random_crop.make_params([torch.empty((1, height, width), device="meta")])
        return Box(drawn["left"], drawn["top"], drawn["width"], drawn["height"])

    def _vary(self, image: Image.Image) -> torch.Tensor:
        for step in self._steps:
            image = step(image)
        return to_hwc(image)


def resized_crop(
    photo: Photo | Image.Image, box: Box, size_px: int, *, exact: bool
) -> torch.Tensor:
    """Cut out a part of an image and resize it bilinearly, with antialiasing.

    Args:
        photo: An image, decoded or not.
        box: The part, inside the image.
        size_px: Side of the result.
        exact: Start from the full size, even where a coarser scale of the file would do, and
            resize by Pillow, to its pixels.

    Returns:
        uint8 size_px x size_px x c.

    Raises:
        DataError: The image cannot be decoded.
    """
    if isinstance(photo, Photo):
        pixels, factor = photo.crop(box, 1 if exact else coarsest_factor(box, size_px))
    else:
        pixels, factor = np.array(photo.crop((box.left, box.top, box.right, box.bottom))), 1
    if exact:
        return to_hwc(Image.fromarray(pixels).resize((size_px, size_px), Image.Resampling.BILINEAR))
    if factor == 1:
        return _resize(pixels, size_px)
    # The box begins and ends within a pixel of the coarser scale; only Pillow resizes that.
    left, top = box.left % factor / factor, box.top % factor / factor
    edges = (left, top, left + box.width / factor, top + box.height / factor)
    image = Image.fromarray(pixels)
    return to_hwc(image.resize((size_px, size_px), Image.Resampling.BILINEAR, edges))


def _resize(pixels: npt.NDArray[np.uint8], size_px: int) -> torch.Tensor:
    """Resize by torch, whose vector instructions make it several times faster than Pillow."""
    values = torch.from_numpy(np.ascontiguousarray(pixels))
    values_hwc = values if values.ndim == 3 else values.unsqueeze(2)
    if values_hwc.shape[:2] == (size_px, size_px):
        return values_hwc
    values_bchw = values_hwc.permute(2, 0, 1).unsqueeze(0)
    resized_bchw = F.interpolate(values_bchw, (size_px, size_px), mode="bilinear", antialias=True)
    return resized_bchw[0].permute(1, 2, 0)


def _to_image(pixels_hwc: torch.Tensor) -> Image.Image:
    pixels = pixels_hwc.contiguous().numpy()
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
