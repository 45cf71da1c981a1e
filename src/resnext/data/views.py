"""Which crops of an image are looked at without augmentation."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from resnext.data.config import ViewConfig
from resnext.errors import ConfigError
from resnext.model.card import Interpolation


@dataclass(frozen=True)
class View:
    """A `ViewConfig` with its sizes settled.

    Attributes:
        size_px: Side of the crop.
        resize_px: Short side to which the image is resized first; None takes the image as
            it is where it has the crop's size, and resizes it to that size where not.
        interpolation: Filter of that resize.
        config: Which crops.
    """

    size_px: int
    resize_px: int | None
    interpolation: Interpolation
    config: ViewConfig


def default_resize_px(size_px: int) -> int:
    """Return the short side that goes with a crop: 8/7 of it, 256 for 224 (section 4)."""
    return round(size_px * 8 / 7)


def resolve_view(config: ViewConfig, size_px: int, *, is_files: bool) -> View:
    """Settle the sizes of a view.

    Args:
        config: What was asked for.
        size_px: The data set's crop, where the view names none.
        is_files: Whether images come from files of any size or from arrays.

    Raises:
        ConfigError: The crop is larger than the resized image, or ten crops would be
            one and the same.
    """
    size_px = config.size_px or size_px
    resize_px = config.resize_px or (default_resize_px(size_px) if is_files else None)
    if resize_px is not None and resize_px < size_px:
        raise ConfigError(f"resize_px={resize_px} is smaller than the crop, size_px={size_px}")
    if config.ten_crop and (resize_px or size_px) == size_px:
        raise ConfigError(
            f"ten_crop=True needs resize_px above size_px={size_px}; else all crops are the same"
        )
    return View(size_px, resize_px, config.interpolation or "bilinear", config)


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
        view: Which crops.

    Returns:
        b·v images, those of one original together: the centre or (ten crops) the four
        corners and the centre, then the same mirrored if the view has them mirrored.
    """
    size = view.size_px
    down, right = images_bchw.shape[2] - size, images_bchw.shape[3] - size
    corners = [(round(down / 2), round(right / 2))]
    if view.config.ten_crop:
        corners = [(0, 0), (0, right), (down, 0), (down, right), *corners]
    crops = [images_bchw[:, :, top : top + size, left : left + size] for top, left in corners]
    if view.config.num_views > len(corners):
        crops += [crop.flip(3) for crop in crops]
    return crops[0] if len(crops) == 1 else torch.stack(crops, dim=1).flatten(0, 1)
