"""The sums of an epoch, on the device where they are kept."""

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
