"""Small images with masks: bright shapes on a dark noisy ground."""

from pathlib import Path

import numpy as np
from PIL import Image
from tiny_config import TINY

from resnext.model.config import SegmenterConfig
from resnext.model.names import config_from

NAMES = ("background", "disc", "box")
IGNORED = 255


def write_shapes(folder: Path, num: int = 24, side: int = 24, *, ignored: bool = True) -> None:
    """Write `images/` and `masks/` of a red disc and a green box each, and `classes.txt`.

    Every second image is 4 pixels wider. The outline of the disc has no class if `ignored`.
    """
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    (folder / "classes.txt").write_text("".join(f"{name}\n" for name in NAMES))
    for index in range(num):
        image, mask = draw_shapes(index, side, side + 4 * (index % 2))
        if not ignored:
            mask[mask == IGNORED] = 0
        Image.fromarray(image).save(folder / "images" / f"{index:03}.png")
        Image.fromarray(mask).save(folder / "masks" / f"{index:03}.png")


def draw_shapes(seed: int, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return an image and its mask, drawn by a seed."""
    random = np.random.default_rng(seed)
    image = random.integers(0, 90, (height, width, 3), dtype=np.uint8)
    mask = np.zeros((height, width), dtype=np.uint8)
    rows, columns = np.mgrid[:height, :width]
    top, left = random.integers(0, height // 2), random.integers(0, width // 2)
    box = (slice(top, top + height // 3), slice(left, left + width // 3))
    mask[box], image[box] = 2, (40, 220, 40)
    center, radius = random.integers(height // 3, 2 * height // 3, 2), height // 5
    distance = np.hypot(rows - center[0], columns - center[1])
    mask[distance < radius + 1] = IGNORED
    mask[distance < radius] = 1
    image[distance < radius] = (220, 40, 40)
    return image, mask


def tiny_segmenter(family: str = "fcn", num_classes: int = 3) -> SegmenterConfig:
    """Return a segmenter of two stages, with a second head for training."""
    config = config_from(f"{family}_resnext29_2x4d", num_classes=num_classes)
    assert isinstance(config, SegmenterConfig)
    return config.replace(backbone=TINY.replace(num_classes=0), aux_head=True)
