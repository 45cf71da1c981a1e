"""The size to which a detector resizes an image, the second input of its graph in OpenVINO."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from resnext.model.detector_config import DetectorConfig

SIDES_INPUT = "sides"
"""Name of the input."""


def resized_sides(config: DetectorConfig, height: int, width: int) -> npt.NDArray[np.int64]:
    """Return height and width of the resized image in pixels, computed in float64.

    Args:
        config: The detector.
        height: Of the image.
        width: Of the image.

    Source: torchvision/models/detection/transform.py, `_resize_image_and_masks`.
    """
    scale = min(config.min_size_px / min(height, width), config.max_size_px / max(height, width))
    return np.array([math.floor(side * scale) for side in (height, width)], dtype=np.int64)
