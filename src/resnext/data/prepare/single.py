"""One decoded image as tensors: its pixels, and the crops of a view."""

from __future__ import annotations

import torch
from PIL import Image

from resnext.data.prepare.geometry import pixels_of
from resnext.data.prepare.views import View, take_views


def prepare_views(image: Image.Image, view: View) -> torch.Tensor:
    """Cut the crops of a view from a decoded image: uint8 v x size x size x c."""
    image_bchw = to_hwc(view.preparation.resize(image)).permute(2, 0, 1).unsqueeze(0)
    return take_views(image_bchw, view).permute(0, 2, 3, 1)


def to_hwc(image: Image.Image) -> torch.Tensor:
    """Return the pixels of an RGB or grey image, uint8 h x w x c."""
    return torch.from_numpy(pixels_of(image))
