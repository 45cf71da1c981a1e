"""Type A shortcuts that pad on both sides: the same function as a network written that way."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from resnext.errors import CheckpointError
from resnext.model.config import ResNeXtConfig
from resnext.model.create import create_model
from resnext.model.shortcut import ZeroPad
from resnext.weights.padding import move_padding_to_the_end


class BothSides(nn.Module):
    """Subsamples, and pads half of the new channels before the others."""

    def __init__(self, stride: int, num_extra: int) -> None:
        super().__init__()
        self.stride, self.num_before = stride, num_extra // 2

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x[:, :, :: self.stride, :: self.stride]
        return F.pad(x, (0, 0, 0, 0, self.num_before, self.num_before))


def reference(config: ResNeXtConfig) -> nn.Module:
    torch.manual_seed(0)
    network = create_model(config)
    for name, module in list(network.named_modules()):
        if isinstance(module, ZeroPad):
            network.set_submodule(name, BothSides(module.stride, module.padding[-1]))
        elif isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            for tensor in (module.running_var, module.weight.data):
                tensor.uniform_(0.5, 2.0)
            for tensor in (module.running_mean, module.bias.data):
                tensor.normal_()
    return network.eval()


@pytest.mark.parametrize("preactivation", [False, True])
@pytest.mark.parametrize("block", ["basic", "bottleneck"])
@pytest.mark.parametrize("widths", [(8, 16, 32), (10, 10, 14), (12, 12, 12)])
def test_the_renumbered_network_computes_the_same(
    block: str, preactivation: bool, widths: tuple[int, ...]
) -> None:
    config = ResNeXtConfig(
        stem="cifar", blocks_per_stage=(2, 2, 2), stage_widths=widths, stem_width=8, shortcut="A",
        cardinality=1 if block == "basic" else 2, bottleneck_width=4, num_classes=5,
        block=block, preactivation=preactivation,
    )  # fmt: skip
    theirs = reference(config)
    ours = create_model(config).eval()
    ours.load_state_dict(move_padding_to_the_end(dict(theirs.state_dict()), config))
    images = torch.randn(3, 3, 16, 16)
    with torch.no_grad():
        expected = theirs(images)
        torch.testing.assert_close(ours(images), expected, rtol=1e-4, atol=1e-4)
        ours.load_state_dict(theirs.state_dict())
        if widths != (12, 12, 12):  # a single stage of new channels leaves only the head's order
            assert not torch.allclose(ours(images), expected, atol=1e-2)


def test_an_odd_number_of_new_channels_has_no_halves() -> None:
    config = ResNeXtConfig(
        stem="cifar", blocks_per_stage=(1,), stage_widths=(9,), stem_width=8, shortcut="A",
        cardinality=1, block="basic", bottleneck_width=8,
    )  # fmt: skip
    with pytest.raises(CheckpointError, match="add 1 zero channels"):
        move_padding_to_the_end(dict(create_model(config).state_dict()), config)
