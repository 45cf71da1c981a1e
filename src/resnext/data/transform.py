"""The augmentations that are applied to one image at a time, by torchvision's v2."""

from __future__ import annotations

from collections.abc import Callable

import torch
from PIL import Image
from torchvision.transforms import v2

from resnext.data.config import AugmentConfig
from resnext.data.single import to_hwc
from resnext.data.views import center_crop, resize_short_side


def is_per_sample(augment: AugmentConfig) -> bool:
    """Tell whether any augmentation has to be done image by image."""
    return augment.crop == "resized" or augment.color_jitter > 0 or augment.policy != "none"


class SampleTransform:
    """Crops, jitters and distorts one image, as a function of the image and a seed.

    The order is the paper's: crop, then colours. The rest of the augmentation (pad and
    crop, mirroring, lighting, erasing, mixing) follows in batches on the device.
    """

    def __init__(
        self, augment: AugmentConfig, size_px: int, fill: list[int], *, keep_size: bool
    ) -> None:
        """Prepare the chain.

        Args:
            augment: What to do.
            size_px: Side of the result.
            fill: Colour of the areas that a policy's rotation or shift uncovers.
            keep_size: Without a resized crop, leave the image's size as it is.
        """
        self._steps: list[Callable[[Image.Image], Image.Image]] = []
        self._size_px = None if keep_size or augment.crop == "resized" else size_px
        if augment.crop == "resized":
            self._steps.append(v2.RandomResizedCrop(size_px, scale=augment.area))
        if augment.color_jitter:
            strength = augment.color_jitter
            self._steps.append(v2.ColorJitter(strength, strength, strength))
        if augment.policy == "randaugment":
            self._steps.append(v2.RandAugment(fill=fill))
        elif augment.policy == "trivialaugment":
            self._steps.append(v2.TrivialAugmentWide(fill=fill))

    def __call__(self, image: Image.Image, seed: int) -> torch.Tensor:
        """Vary an image.

        The state of torch's generator is changed; callers keep and restore it.

        Args:
            image: Mode RGB or L.
            seed: Decides everything that is random.

        Returns:
            uint8 h x w x c.
        """
        # Not torch.manual_seed: that would also reseed the accelerator's generator.
        torch.default_generator.manual_seed(seed)
        if self._size_px is not None:
            image = center_crop(
                resize_short_side(image, self._size_px), self._size_px, self._size_px
            )
        for step in self._steps:
            image = step(image)
        return to_hwc(image)
