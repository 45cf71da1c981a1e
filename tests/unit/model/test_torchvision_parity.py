"""ImageNet networks exchange state dicts with torchvision, both ways, and agree."""

from typing import Any

import pytest
import torch
from torch import nn
from torchvision import models

from resnext.model.create import create_model


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["resnet18", "resnet50", "resnext50_32x4d", "resnext101_64x4d"],
)
def test_weights_are_exchanged_and_logits_agree(name: str) -> None:
    torch.manual_seed(1)
    theirs: nn.Module = getattr(models, name)(num_classes=10)
    ours = create_model(name, num_classes=10)
    x = torch.randn(2, 3, 64, 64)
    for giver, taker in ((theirs, ours), (ours, theirs)):
        disturb_norms(giver, x)
        taker.load_state_dict(giver.state_dict())
        giver.eval(), taker.eval()
        with torch.no_grad():
            expected, got = giver(x), taker(x)
        assert expected.std() > 0.01, "the logits must not be trivially equal"
        assert (got - expected).abs().max() <= 1e-5


def test_keys_are_in_torchvisions_order() -> None:
    with torch.device("meta"):
        theirs: Any = models.resnext50_32x4d()
        ours = create_model("resnext50_32x4d")
    assert list(ours.state_dict()) == list(theirs.state_dict())


def disturb_norms(model: nn.Module, x: torch.Tensor) -> None:
    """Give BN random parameters, then the statistics of one batch."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.1)
            module.momentum = None  # a plain mean, so one batch sets the statistics
            module.reset_running_stats()
    with torch.no_grad():
        model.train()(x)
