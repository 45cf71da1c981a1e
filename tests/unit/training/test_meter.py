"""The sums of an epoch, on the device where they are kept."""

import math

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from resnext.training.checkpoint import Position
from resnext.training.meter import Meter


def test_an_epoch_goes_on_from_its_saved_sums() -> None:
    meter = Meter(torch.device("cpu"), Position(loss_sum=3.0, num_wrong=2.0, num_seen=4))
    meter.add(torch.tensor([1.5, 1.0]), global_size=2)
    position = meter.store_in(Position(epoch=1))
    assert (position.loss_sum, position.num_wrong, position.num_seen) == (4.5, 3.0, 6)


@pytest.mark.parametrize(("device", "expected"), [("mps", torch.float32), ("cpu", torch.float64)])
def test_only_a_device_without_float64_sums_in_float32(device: str, expected: torch.dtype) -> None:
    with FakeTensorMode():  # a tensor of a device that is not here
        assert Meter(torch.device(device), Position())._sums.dtype == expected


def test_the_rate_of_the_first_failing_step_is_known() -> None:
    meter = Meter(torch.device("cpu"), Position())
    meter.add(torch.tensor([1.0, 0.0]), 2, lr=0.5)
    meter.read()
    for lr, loss in ((0.4, 1.0), (0.3, torch.nan), (0.2, torch.nan), (0.1, 1.0)):
        meter.add(torch.tensor([loss, 0.0]), 2, lr=lr)
    assert math.isnan(meter.read()[0])
    assert meter.failing_lr == 0.3
