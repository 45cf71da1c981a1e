"""One image file, made ready for prediction as evaluation would."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from resnext.data.decode.depth import AssumptionLog, assumed_of
from resnext.data.decode.image import decode
from resnext.data.prepare.geometry import cut_long
from resnext.data.prepare.preparation import Preparation
from resnext.data.prepare.views import View, take_views
from resnext.errors import DataError
from resnext.model.card import Interpolation

_ASSUMPTIONS = AssumptionLog()  # one for all the files of a command


def prepare_image(
    path: Path,
    size_px: int,
    resize_px: int | None = None,
    in_channels: int = 3,
    interpolation: Interpolation = "bilinear",
) -> torch.Tensor:
    """Read an image and cut out the middle.

    Args:
        path: The file.
        size_px: Side of the crop.
        resize_px: Short side to which the image is resized first; by default the crop's.
        in_channels: 3 for RGB, 1 for grey.
        interpolation: Filter of the resize.

    Returns:
        uint8, in_channels x size_px x size_px.

    Raises:
        DataError: The file is bad; the message names it.
    """
    preparation = Preparation(size_px, resize_px, interpolation)
    return to_hwc(preparation.crop(_open(path, in_channels))).permute(2, 0, 1)


def read_image(path: Path, in_channels: int = 3) -> torch.Tensor:
    """Read an image for a network that resizes and crops inside: uint8, in_channels x h x w.

    A very long image is cut, as everywhere.

    Raises:
        DataError: The file is bad; the message names it.
    """
    return to_hwc(cut_long(_open(path, in_channels))).permute(2, 0, 1)


def prepare_views(image: Image.Image, view: View) -> torch.Tensor:
    """Cut the crops of a view from a decoded image: uint8 v x size x size x c."""
    image_bchw = to_hwc(view.preparation.resize(image)).permute(2, 0, 1).unsqueeze(0)
    return take_views(image_bchw, view).permute(0, 2, 3, 1)


def to_hwc(image: Image.Image) -> torch.Tensor:
    """Return the pixels of an RGB or grey image, uint8 h x w x c."""
    values = torch.from_numpy(np.array(image))
    return values if values.ndim == 3 else values.unsqueeze(2)


def _open(path: Path, in_channels: int) -> Image.Image:
    try:
        image = decode(path, in_channels)
    except DataError as error:
        raise DataError(f"bad image {path}: {error}") from error
    _ASSUMPTIONS.report(str(path), assumed_of(image))
    return image
