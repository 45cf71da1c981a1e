"""The crops used for validation and evaluation."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from resnext.data.config import ViewConfig
from resnext.data.prepare.preparation import Preparation
from resnext.errors import ConfigError
from resnext.model.card import Interpolation, ModelCard


@dataclass(frozen=True)
class View:
    """A `ViewConfig` with resolved sizes.

    Attributes:
        preparation: The resize, and the side of each crop.
        config: The crops.
    """

    preparation: Preparation
    config: ViewConfig


def default_resize_px(size_px: int) -> int:
    """Return the default short side for a crop: 8/7 of it, 256 for 224 (section 4)."""
    return round(size_px * 8 / 7)


def view_of_training(
    config: ViewConfig, size_px: int, *, is_memory: bool, is_enlarged: bool
) -> ViewConfig:
    """Resolve the resize of the validation in training, without a card.

    A resized crop enlarges objects, which the usual view (256 for 224) partly compensates. Training
    on whole images or windows must not be validated on enlarged ones.

    Args:
        config: The requested view.
        size_px: Side of the images in training, if the view has none.
        is_memory: Whether the images are in memory, which are not resized.
        is_enlarged: Whether training uses resized crops.
    """
    if is_memory or config.resize_px is not None:
        return config
    size_px = config.size_px or size_px
    is_usual = is_enlarged or config.ten_crop
    return config.replace(resize_px=default_resize_px(size_px) if is_usual else size_px)


def view_of_card(config: ViewConfig, card: ModelCard) -> ViewConfig:
    """Fill in the validation sizes and filter of a network's card, unless given."""
    preparation = Preparation.of_card(card, config.size_px)
    return config.replace(
        size_px=preparation.size_px,
        resize_px=config.resize_px or preparation.resize_px,
        interpolation=config.interpolation or preparation.interpolation,
    )


def resolve_view(config: ViewConfig, size_px: int) -> View:
    """Resolve the sizes of a view; without a resize, images have the size of the crop.

    Args:
        config: The requested view.
        size_px: The data set's crop, if the view has none.

    Raises:
        ConfigError: The crop is larger than the resized image, or ten crops would be
            one and the same.
    """
    size_px, resize_px = config.size_px or size_px, config.resize_px
    if resize_px is not None and resize_px < size_px:
        raise ConfigError(f"resize_px={resize_px} is smaller than the crop, size_px={size_px}")
    if config.ten_crop and (resize_px or size_px) == size_px:
        raise ConfigError(
            f"ten_crop=True needs resize_px above size_px={size_px}; otherwise all crops are the "
            "same"
        )
    return View(Preparation(size_px, resize_px, config.interpolation or "bilinear"), config)


def resize_batch(
    images_bchw: torch.Tensor, height: int, width: int, interpolation: Interpolation = "bilinear"
) -> torch.Tensor:
    """Resize float images with antialiasing; channels_last is kept."""
    if images_bchw.shape[-2:] == (height, width):
        return images_bchw
    return F.interpolate(images_bchw, (height, width), mode=interpolation, antialias=True)


def take_views(images_bchw: torch.Tensor, view: View) -> torch.Tensor:
    """Cut the crops of a view from images of one size.

    Args:
        images_bchw: Images at least as large as the crop, of any type.
        view: The crops.

    Returns:
        b·v images, those of one original together: the centre or (ten crops) the four
        corners and the centre, then the same mirrored if the view has them mirrored.
    """
    size = view.preparation.size_px
    down, right = images_bchw.shape[2] - size, images_bchw.shape[3] - size
    corners = [(round(down / 2), round(right / 2))]
    if view.config.ten_crop:
        corners = [(0, 0), (0, right), (down, 0), (down, right), *corners]
    crops = [images_bchw[:, :, top : top + size, left : left + size] for top, left in corners]
    if view.config.num_views > len(corners):
        crops += [crop.flip(3) for crop in crops]
    return crops[0] if len(crops) == 1 else torch.stack(crops, dim=1).flatten(0, 1)
