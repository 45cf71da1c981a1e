"""The baselines, held against the executed graph and against their published formulas."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import resnext
from resnext.complexity.baselines import SMALLEST_SIDE
from resnext.errors import ConfigError
from resnext.model.config import BaselineConfig


@pytest.mark.parametrize("name", SMALLEST_SIDE)
def test_baselines_cost_what_their_execution_costs(name: str) -> None:
    cost = resnext.count(name)
    side = cost.input_size[1]
    with torch.device("meta"):
        model = resnext.create_model(name).eval()
        image = torch.empty(1, 3, side, side)
    with FlopCounterMode(display=False) as flops:
        model(image)
    biases = sum(
        layer.activations
        for layer in cost.layers
        if f"{layer.name}.bias" in model.state_dict() and layer.kind != "norm"
    )
    assert 2 * (cost.macs - biases) == flops.get_total_flops()
    assert cost.parameters == sum(p.numel() for p in model.parameters())


def test_vgg_holds_the_most_memory_around_its_first_norm() -> None:
    # two maps of 64 channels at full size, and the image; ReLU works in place
    assert resnext.count("vgg16_bn").peak_activation_bytes == 4 * (2 * 64 + 3) * 224 * 224


@pytest.mark.parametrize("name", SMALLEST_SIDE)
def test_the_smallest_input_is_counted_and_a_smaller_one_is_refused(name: str) -> None:
    side = SMALLEST_SIDE[name]
    assert resnext.count(name, side).macs > 0
    with pytest.raises(ConfigError, match=f"too small for {name}.* accepts is {side}x{side}"):
        resnext.count(name, (side - 1, side))
    model = resnext.create_model(BaselineConfig(family=name), num_classes=2).to("meta").eval()
    with pytest.raises(RuntimeError):  # torch's own word that the limit is not too strict
        model(torch.empty(1, 3, side - 1, side, device="meta"))
