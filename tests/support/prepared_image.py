"""An image file prepared step by step, to compare with what a command shows a network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from resnext.data.decode.image import decode
from resnext.data.prepare.preparation import Preparation
from resnext.model.card import Interpolation


def prepare_image(
    path: Path,
    size_px: int,
    resize_px: int | None = None,
    in_channels: int = 3,
    interpolation: Interpolation = "bilinear",
) -> torch.Tensor:
    """Return uint8, in_channels x size_px x size_px."""
    preparation = Preparation(size_px, resize_px, interpolation)
    pixels = np.array(preparation.crop(decode(path, in_channels)))
    return torch.from_numpy(pixels.reshape(size_px, size_px, in_channels)).permute(2, 0, 1)
