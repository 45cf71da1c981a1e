"""Masks are drawn at the size and in the part that is trained on, within a bound of memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import tv_tensors
from torchvision.transforms import v2

from resnext.data.augment.config import AugmentConfig
from resnext.data.augment.joint_boxes import BoxTransform
from resnext.data.boxes.box_set import BoxImage
from resnext.data.boxes.polygons import draw_masks
from resnext.errors import DataError

MAX_RATIO = 2.0


def draw_objects(seed: int, num: int, height: int, width: int) -> BoxImage:
    """Return an image with objects; a fifth are crowd regions, and outlines may leave it."""
    random = np.random.default_rng(seed)
    corners = random.uniform(0, 0.8, (num, 2))
    boxes = np.concatenate([corners, corners + random.uniform(0.05, 0.2, (num, 2))], axis=1)
    outlines = [random.uniform(-0.2, 1.2, (6, 2)) * [width, height] for _ in range(num)]
    return BoxImage(
        path=Path(),
        image_id=1,
        width=width,
        height=height,
        boxes_n4=boxes * [width, height, width, height],
        labels_n=np.zeros(num, dtype=np.int64),
        crowds_n=random.random(num) < 0.2,
        areas_n=np.ones(num),
        outlines=tuple((points.astype(np.float32),) for points in outlines),
    )


def vary_whole_masks(objects: BoxImage, sides: torch.Size, crop: str, seed: int) -> torch.Tensor:
    """Draw whole masks and let torchvision vary them, as its own reference does."""
    kept = ~objects.crowds_n
    outlines = [objects.outlines[number] for number in np.flatnonzero(kept)]
    size = (objects.height, objects.width)
    sample = {
        "image": tv_tensors.Image(torch.zeros(3, *size)),
        "boxes": tv_tensors.BoundingBoxes(
            torch.from_numpy(objects.boxes_n4[kept].astype(np.float32)),
            format="XYXY",
            canvas_size=size,
        ),
        "masks": tv_tensors.Mask(torch.from_numpy(draw_masks(outlines, *size))),
    }
    torch.default_generator.manual_seed(seed)
    if crop == "objects" and len(outlines):
        sample = v2.RandomIoUCrop()(sample)
    sample = v2.RandomHorizontalFlip(0.5)(sample)
    sample = v2.Resize(list(sides), antialias=False)(sample)
    sample = v2.SanitizeBoundingBoxes(labels_getter=None)(sample)
    masks_mhw: torch.Tensor = sample["masks"].as_subclass(torch.Tensor)
    return masks_mhw


@pytest.mark.parametrize("crop", ["none", "scaled", "objects"])
def test_masks_equal_whole_masks_that_are_varied_with_the_image(crop: str) -> None:
    augment = AugmentConfig(crop=crop, scale=(0.7, 1.3), flip=True)
    transform = BoxTransform(augment, MAX_RATIO, with_masks=True)
    num_masks = num_pixels = 0
    for seed in range(40):
        height, width, size_px = 40 + 3 * seed, 150 - 2 * seed, 30 + 5 * seed
        objects = draw_objects(seed, seed % 7, height, width)
        varied = transform(Image.new("RGB", (width, height)), objects, size_px, seed)
        assert varied.masks_mhw is not None
        wanted_mhw = vary_whole_masks(objects, varied.pixels_hwc.shape[:2], crop, seed)
        assert varied.masks_mhw.dtype == torch.uint8
        assert torch.equal(varied.masks_mhw, wanted_mhw)
        assert len(varied.masks_mhw) == len(varied.rows_m7)
        num_masks += len(wanted_mhw)
        num_pixels += int(wanted_mhw.sum())
    assert num_masks > 50
    assert num_pixels > 10_000


def test_small_results_of_large_images_take_little_memory() -> None:
    objects = draw_objects(0, 100, 1500, 2000)
    photo = Image.new("RGB", (2000, 1500))
    transform = BoxTransform(AugmentConfig(crop="none", flip=True), MAX_RATIO, with_masks=True)
    tracemalloc.start()
    transform(photo, objects, 100, 0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 32 * 2**20  # whole masks would take 100 times 3 MB


def test_more_masks_than_memory_allows_make_an_image_unusable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    objects = draw_objects(0, 20, 100, 150)
    photo = Image.new("RGB", (150, 100))
    transform = BoxTransform(AugmentConfig(crop="none", flip=True), MAX_RATIO, with_masks=True)
    num = int((~objects.crowds_n).sum())
    monkeypatch.setattr("resnext.data.augment.joint_boxes._MAX_MASK_BYTES", num * 40 * 60)
    transform(photo, objects, 40, 0)
    with pytest.raises(DataError, match=f"masks of its {num} objects, 75x50 pixels each"):
        transform(photo, objects, 50, 0)
