"""Masks of objects are fitted to their image as torchvision does, and written as COCO does."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.models.detection.roi_heads import paste_masks_in_image

from resnext.tasks.detection.masks import Box, fit_mask, mask_of_image
from resnext.tasks.segmentation.run_lengths import run_lengths

BOXES = [
    (3.2, 4.9, 40.1, 33.3),
    (-5.0, -2.5, 12.0, 70.2),  # beyond the image
    (60.0, 20.0, 79.9, 59.9),
    (10.2, 10.1, 10.6, 10.3),  # less than a pixel
    (0.0, 0.0, 80.0, 60.0),
]


@pytest.mark.parametrize("box", BOXES)
def test_a_mask_fits_its_box_as_in_torchvision(box: Box) -> None:
    draw = np.random.default_rng(0)
    coarse = draw.random((7, 7), dtype=np.float32)
    soft = np.kron(coarse, np.ones((4, 4), np.float32))
    given = torch.from_numpy(soft)[None, None], torch.tensor([box])
    wanted = paste_masks_in_image(*given, (60, 80))[0, 0].numpy()
    mask = fit_mask(soft, box, 60, 80)
    found = mask.on_image()
    assert found.any() == (wanted > 0.5).any()
    is_clear = np.abs(wanted - 0.5) > 1e-5  # sums in another order may fall on either side
    assert np.array_equal(found[is_clear], wanted[is_clear] > 0.5)
    assert mask.run_lengths() == run_lengths(found)


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 1.0])
def test_run_lengths_of_a_part_are_those_of_the_image(share: float) -> None:
    is_object = np.random.default_rng(1).random((13, 17)) < share
    mask = mask_of_image(is_object)
    assert np.array_equal(mask.on_image(), is_object)
    assert mask.run_lengths() == run_lengths(is_object)
