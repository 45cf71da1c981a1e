"""The baselines by formula, held against torchvision's networks as they are executed."""

from functools import cache

import pytest
import torch
from execution import kept_bytes, peak_bytes, run_layers
from hypothesis import example, given, settings
from hypothesis import strategies as st
from python_process import run_python
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision import models

import resnext
from resnext.complexity.baselines import MIN_SIDE
from resnext.complexity.cost import Cost, StageCost
from resnext.errors import ConfigError
from resnext.model.config import BaselineConfig

FAMILIES = tuple(MIN_SIDE)


@cache
def torchvisions(config: BaselineConfig) -> nn.Module:
    """Return the network without data; caching it leaves time for more sizes."""
    with torch.device("meta"):
        return resnext.create_model(config)


def executed_cost(config: BaselineConfig, sides: tuple[int, int]) -> Cost:
    model = torchvisions(config).eval()
    images = torch.empty(2, config.in_channels, *sides, device="meta")
    layers = tuple(run_layers(model, images[:1]))
    total = StageCost(
        config.family,
        layers[-1].output,
        sum(layer.parameters for layer in layers),
        sum(layer.macs for layer in layers),
        sum(layer.activations for layer in layers),
    )
    return Cost(
        input_size=(config.in_channels, *sides),
        layers=layers,
        stages=(total,),
        peak_activation_bytes=peak_bytes(model, torch.empty_like(images[:1])),
        training_activation_bytes=kept_bytes(model.train(), images),
    )


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("side", [None, 96, 331])
def test_every_figure_is_that_of_torchvisions_network(family: str, side: int | None) -> None:
    config = BaselineConfig.model_validate({"family": family})
    cost = resnext.count(config, side)
    height, width = cost.input_size[1:]
    assert cost == executed_cost(config, (height, width))


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(
    st.sampled_from(FAMILIES),
    st.sampled_from([(1, 10), (3, 1000), (5, 1)]),
    st.tuples(st.integers(0, 250), st.integers(0, 250)),
)
@example("vgg16_bn", (1, 10), (0, 0))
@example("inception_v3", (1, 10), (0, 61))
def test_any_sides_channels_and_classes_cost_what_their_execution_costs(
    family: str, ends: tuple[int, int], extra: tuple[int, int]
) -> None:
    config = BaselineConfig.model_validate(
        {"family": family, "in_channels": ends[0], "num_classes": ends[1]}
    )
    sides = MIN_SIDE[family] + extra[0], MIN_SIDE[family] + extra[1]
    assert resnext.count(config, sides) == executed_cost(config, sides)


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_baselines_cost_what_torchs_own_counter_says(name: str) -> None:
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


def test_the_parameters_are_those_that_torchvision_publishes() -> None:
    published = {
        "vgg16_bn": models.VGG16_BN_Weights.IMAGENET1K_V1.meta["num_params"],
        "vgg19_bn": models.VGG19_BN_Weights.IMAGENET1K_V1.meta["num_params"],
        "inception_v3": models.Inception_V3_Weights.IMAGENET1K_V1.meta["num_params"],
    }
    auxiliary = 128 * 768 + 2 * 128 + 768 * 128 * 5 * 5 + 2 * 768 + (768 + 1) * 1000
    published["inception_v3"] -= auxiliary
    assert {name: resnext.count(name).parameters for name in FAMILIES} == published


@pytest.mark.parametrize("family", FAMILIES)
def test_layers_carry_the_names_of_the_state_dict(family: str) -> None:
    counted = {layer.name: layer.parameters for layer in resnext.count(family).layers}
    owners = dict.fromkeys(counted, 0)
    network = torchvisions(BaselineConfig.model_validate({"family": family}))
    for name, parameter in network.named_parameters():
        owners[name.rpartition(".")[0]] += parameter.numel()
    assert counted == owners


def test_vgg_holds_the_most_memory_around_its_first_norm() -> None:
    # two maps of 64 channels at full size, and the image; ReLU works in place
    assert resnext.count("vgg16_bn").peak_activation_bytes == 4 * (2 * 64 + 3) * 224 * 224


@pytest.mark.parametrize("name", FAMILIES)
def test_the_smallest_input_is_counted_and_a_smaller_one_is_refused(name: str) -> None:
    side = MIN_SIDE[name]
    assert resnext.count(name, side).macs > 0
    with pytest.raises(ConfigError, match=f"too small for {name}.* accepted size is {side}x{side}"):
        resnext.count(name, (side - 1, side))
    config = BaselineConfig.model_validate({"family": name, "num_classes": 2})
    with pytest.raises(RuntimeError):  # torch's own word that the limit is not too strict
        torchvisions(config).eval()(torch.empty(1, 3, side - 1, side, device="meta"))


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_describing_a_baseline_imports_no_torch(name: str) -> None:
    program = (
        "import sys; from resnext.cli.describe import main; "
        f"main([{name!r}, '--layers', '--compare', 'resnet50']); "
        "sys.exit(bool({'torch', 'torchvision'} & set(sys.modules)))"
    )
    assert name in run_python(program)
