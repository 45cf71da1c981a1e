"""Targets of every kind: counted, and made up for timing."""

from typing import get_args

import pytest
import torch

from resnext.data.config import TargetKind
from resnext.data.loading.batch import Batch
from resnext.data.targets import count_per_class, made_up_targets
from resnext.tasks.kinds import build_task, task_for
from resnext.tasks.task import TaskOptions


def test_images_with_a_class_are_counted_not_their_pixels() -> None:
    pixels_nk = torch.tensor([[5, 0, 1], [7, 2, 0]])
    assert count_per_class(pixels_nk, 3) == [2, 1, 1]


# The loss of numbers has no bound, and detectors compute that of boxes themselves
_OTHER_LOSS = ("number", "boxes")


@pytest.mark.parametrize("kind", [kind for kind in get_args(TargetKind) if kind not in _OTHER_LOSS])
def test_made_up_targets_are_what_their_task_learns(kind: TargetKind) -> None:
    targets_b = made_up_targets(kind, 4, 3, side_px=6)
    task = build_task(task_for(kind).name, TaskOptions(("a", "b", "c")))
    shape = (4, 3, 6, 6) if kind == "mask" else (4, 3)
    batch = Batch(torch.zeros(4, 1, 6, 6), targets_b, torch.arange(4), 4)
    loss = task.loss(torch.zeros(shape), batch)
    assert task.kind.chance_loss is not None
    assert float(loss) == pytest.approx(task.kind.chance_loss(3))


def test_made_up_numbers_are_one_row_an_image() -> None:
    targets_b = made_up_targets("number", 5, 2, side_px=6)
    assert targets_b.shape == (5, 2)
    assert targets_b.is_floating_point()
