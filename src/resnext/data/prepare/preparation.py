"""The preprocessing of an image, shared by all verbs.

Needs no torch, so that a service needs none.
"""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from resnext.data.prepare.geometry import center_crop, resize_short_side
from resnext.model.card import Interpolation, ModelCard


@dataclass(frozen=True)
class Preparation:
    """The resize of an image's short side, and the crop of its middle.

    Attributes:
        size_px: Side of the crop.
        resize_px: Short side to which the image is resized first; None, or less than the side of
            the crop, means that side. An image of the crop's size is therefore unchanged.
        interpolation: Filter of the resize.
    """

    size_px: int
    resize_px: int | None = None
    interpolation: Interpolation = "bilinear"

    @classmethod
    def of_card(cls, card: ModelCard, size_px: int | None = None) -> Preparation:
        """Return the preprocessing of a network.

        Args:
            card: Card of the network.
            size_px: Side of the crop if it differs from the card's; the resize is scaled, so that
                the crop shows the same part of the image.
        """
        resize_px = card.resize_px
        if size_px is None:
            size_px = card.image_size_px
        if resize_px is not None:
            resize_px = max(size_px, round(resize_px * size_px / card.image_size_px))
        return cls(size_px, resize_px, card.interpolation)

    @property
    def short_side_px(self) -> int:
        """Short side of the resized image, in pixels."""
        return max(self.resize_px or 0, self.size_px)

    def resize(self, image: Image.Image) -> Image.Image:
        """Return an image with its short side resized."""
        return resize_short_side(image, self.short_side_px, self.interpolation)

    def crop(self, image: Image.Image) -> Image.Image:
        """Return the centre crop of the resized image, size_px x size_px."""
        return center_crop(self.resize(image), self.size_px, self.size_px)


def describe_preparation(card: ModelCard) -> str:
    """Describe the preprocessing of a network."""
    preparation = Preparation.of_card(card)
    mean, std = (", ".join(f"{value:g}" for value in values) for values in (card.mean, card.std))
    return (
        f"short side resized to {preparation.short_side_px} px ({preparation.interpolation}), "
        f"centre crop of {preparation.size_px} px, mean ({mean}) and standard deviation ({std}) "
        "of values in 0..1"
    )
