"""Masks of objects are fitted to their image as torchvision does, and written as COCO does."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.models.detection.roi_heads import paste_masks_in_image

from resnext.model.card import ModelCard
from resnext.tasks.detection.answer import BoxAnswer
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


def test_rows_of_an_edited_file_cannot_claim_memory_or_break_an_answer() -> None:
    soft = np.ones((4, 28 * 28), np.float32)
    rows = np.array(
        [
            [-1e30, -1e30, 1e30, 1e30, 7.0, 99.0],  # a mask of this size would fill any memory
            [50.0, 40.0, 10.0, 5.0, 0.9, 0.0],  # corners swapped
            [0.0, 0.0, np.inf, 9.0, 0.8, 0.0],
            [0.0, 0.0, 9.0, 9.0, 0.7, np.nan],
        ],
        np.float32,
    )
    answer = BoxAnswer.read(np.hstack([rows, soft]), ("a", "b"), ModelCard(), top=10)
    first, second = answer.in_image(60, 80).objects
    assert (first.box, first.score, first.name) == ((0.0, 0.0, 80.0, 60.0), 1.0, "b")
    assert first.mask is not None
    assert first.mask.on_image()[1:-1, 1:-1].all()  # soft at the edges of the box
    assert (second.box[0] <= second.box[2], second.box[1] <= second.box[3]) == (True, True)
    assert second.as_dict()["segmentation"]["size"] == [60, 80]
