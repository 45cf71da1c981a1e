"""Small images with boxes: bright rectangles of two colours on a dark noisy ground."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from small_detector import SMALL

from resnext.model.config import DetectorConfig

NAMES = ("red", "green")
COLORS = ((230, 30, 30), (30, 230, 30))
HEIGHT, WIDTH = 48, 64
TINY_DETECTOR: DetectorConfig = SMALL.replace(
    num_classes=2,
    pyramid_channels=32,
    min_size_px=HEIGHT,
    max_size_px=WIDTH,
    anchor_sizes_px=(16, 24, 32, 64, 128),
)
"""It sees these images at their own size."""


def write_boxes(
    root: Path, num: int = 24, *, has_val: bool = True, has_upright: bool = True
) -> None:
    """Write a folder in Roboflow's layout, every third image upright, every fifth without boxes."""
    splits = {"train": range(num), "valid": range(num, num + num // 3)}
    for name, numbers in splits.items():
        if name == "valid" and not has_val:
            continue
        (root / name).mkdir(parents=True)
        values: dict[str, list[object]] = {"images": [], "annotations": [], "categories": []}
        values["categories"] = [{"id": n + 1, "name": name} for n, name in enumerate(NAMES)]
        for number in numbers:
            image, boxes, labels = draw_boxes(number, is_upright=has_upright and number % 3 == 0)
            Image.fromarray(image).save(root / name / f"{number:03}.png")
            height, width = image.shape[:2]
            row = {"id": number, "file_name": f"{number:03}.png", "width": width, "height": height}
            values["images"].append(row)
            for (left, top, right, bottom), label in zip(boxes, labels, strict=True):
                box = [left, top, right - left, bottom - top]
                outline = [left, top, right, top, right, bottom, left, bottom]
                found = {
                    "image_id": number,
                    "category_id": label + 1,
                    "bbox": box,
                    "segmentation": [outline],
                }
                values["annotations"].append(found)
        text = json.dumps(values)
        (root / name / "_annotations.coco.json").write_text(text, encoding="utf-8")


def draw_boxes(
    seed: int, *, is_upright: bool
) -> tuple[npt.NDArray[np.uint8], list[list[int]], list[int]]:
    """Return an image with its boxes and labels, drawn by a seed."""
    random = np.random.default_rng(seed)
    height, width = (WIDTH, HEIGHT) if is_upright else (HEIGHT, WIDTH)
    image = random.integers(0, 60, (height, width, 3), dtype=np.uint8)
    boxes, labels = [], []
    for number in range(0 if seed % 5 == 0 else int(random.integers(1, 3))):
        side = int(random.integers(12, 21))
        left = int(random.integers(0, width // 2 - side)) + number * (width // 2)
        top = int(random.integers(0, height - side))
        label = int(random.integers(0, 2))
        image[top : top + side, left : left + side] = COLORS[label]
        boxes.append([left, top, left + side, top + side])
        labels.append(label)
    return image, boxes, labels
