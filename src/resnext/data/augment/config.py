"""Augmentation settings. Needs no torch."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeFloat, model_validator

from resnext.errors import ConfigError
from resnext.settings import FiniteSettings

_MAX_PAD_PX = 1024
_MAX_SCALE = 16

Probability = Annotated[float, Field(ge=0.0, le=1.0)]


class AugmentConfig(FiniteSettings):
    """Augmentation of training images; validation images are never augmented.

    Attributes:
        crop: `none` keeps the image; `pad` pads it and crops it back (CIFAR);
            `resized` crops a random area and aspect ratio (ImageNet); `scaled` enlarges or shrinks
            the image at random and, with masks, cuts out a window of the training size; `objects`,
            for boxes, cuts out a random part with at least one object, and scales it likewise.
        pad_px: Padding of `pad` on each side.
        scale: Smallest and largest factor of `scaled` and `objects`.
        area: Minimum and maximum fraction of the image's area that `resized` keeps.
        flip: Mirror images with probability 1/2.
        color_jitter: Strength of brightness, contrast and saturation changes.
        lighting: Standard deviation of the PCA lighting noise (AlexNet, section 4.1).
        policy: torchvision's RandAugment or TrivialAugmentWide.
        erasing: Probability that a random rectangle is erased.
        mixup: Alpha of mixup's beta distribution; 0 is off.
        cutmix: Alpha of cutmix's beta distribution; 0 is off. If both are on, each pair uses one of
            them with probability 1/2.
    """

    crop: Literal["none", "pad", "resized", "scaled", "objects"] = "none"
    pad_px: Annotated[int, Field(ge=0, le=_MAX_PAD_PX)] = 4
    scale: tuple[float, float] = (0.5, 2.0)
    area: tuple[float, float] = (0.08, 1.0)
    flip: bool = False
    color_jitter: NonNegativeFloat = 0.0
    lighting: NonNegativeFloat = 0.0
    policy: Literal["none", "randaugment", "trivialaugment"] = "none"
    erasing: Probability = 0.0
    mixup: NonNegativeFloat = 0.0
    cutmix: NonNegativeFloat = 0.0

    @model_validator(mode="after")
    def _check(self) -> Self:
        low, high = self.area
        if not 0.0 < low <= high <= 1.0:
            raise ConfigError(f"area={self.area!r}: give 0 < smallest <= largest <= 1")
        low, high = self.scale
        if not 1.0 / _MAX_SCALE <= low <= high <= _MAX_SCALE:
            raise ConfigError(
                f"scale={self.scale!r}: give 1/{_MAX_SCALE} <= smallest <= largest <= {_MAX_SCALE}"
            )
        return self
