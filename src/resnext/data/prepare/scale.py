"""Normalisation without torch, for services."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from resnext.data.prepare.geometry import Pixels

Floats = npt.NDArray[np.float32]


def scale_and_shift(mean: Sequence[float], std: Sequence[float]) -> tuple[Floats, Floats]:
    """Return a and b of each channel, by which (level / 255 - mean) / std is level a + b.

    Args:
        mean: Mean of each channel, of values in 0..1.
        std: Standard deviation of each channel.
    """
    mean_c, std_c = np.asarray(mean, np.float32), np.asarray(std, np.float32)
    return np.float32(1) / (np.float32(255) * std_c), -mean_c / std_c


def normalise_pixels(images_bhwc: Pixels, mean: Sequence[float], std: Sequence[float]) -> Floats:
    """Normalise images with the same bits as `normalise`, which needs torch: b x c x h x w."""
    scale_c, shift_c = scale_and_shift(mean, std)
    values = images_bhwc.astype(np.float32) * scale_c + shift_c
    return np.ascontiguousarray(np.moveaxis(values, -1, 1))
