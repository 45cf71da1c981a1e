"""Other input channels and other classes: what each rule promises, and all else kept."""

import math
import warnings
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import (
    State,
    assert_same_logits,
    assert_same_tensors,
    copy_of,
    rebuild,
    small_configs,
    trained_like,
)
from torch import nn

from resnext.errors import ConfigError
from resnext.model.baselines import build_baseline
from resnext.model.choices import Baseline
from resnext.model.config import BaselineConfig, ModelConfig, ResNeXtConfig
from resnext.weights.adapt import ChannelRule, adapt_in_channels, replace_head

SMALL = ResNeXtConfig(stem="cifar", blocks_per_stage=(1,), stage_widths=(16,), cardinality=2)
BASELINES = ["vgg16_bn", "vgg19_bn", "inception_v3"]


@pytest.mark.slow
@given(small_configs(), st.integers(1, 7))
@settings(max_examples=30, deadline=None)
def test_mean_answers_to_the_mean_of_the_channels(config: ResNeXtConfig, channels: int) -> None:
    got, images = adapted_logits(config, channels, "mean")
    if channels != config.in_channels:
        grey = images.mean(dim=1, keepdim=True)
        images = grey.expand(-1, config.in_channels, *images.shape[2:])
    assert_same_logits(got, logits_of(trained_like(config), images))


@pytest.mark.slow
@given(small_configs(), st.integers(1, 7))
@settings(max_examples=30, deadline=None)
def test_repeat_answers_to_the_sum_of_the_channels_that_share_a_weight(
    config: ResNeXtConfig, channels: int
) -> None:
    got, images = adapted_logits(config, channels, "repeat")
    old = config.in_channels
    summed = images.new_zeros(len(images), old, *images.shape[2:])
    for channel in range(channels):
        summed[:, channel % old] += images[:, channel] * old / channels
    assert_same_logits(got, logits_of(trained_like(config), summed))


@pytest.mark.parametrize(("channels", "rule"), [(1, "mean"), (4, "mean"), (6, "repeat")])
def test_a_grey_image_gets_the_logits_of_the_old_network(channels: int, rule: ChannelRule) -> None:
    model = trained_like(SMALL)
    state, new = adapt_in_channels(model.state_dict(), SMALL, channels, rule)
    grey = torch.randn(4, 1, 12, 12, dtype=torch.float64)
    got = logits_of(rebuild(resnext(new), state), grey.expand(-1, channels, -1, -1))
    assert_same_logits(got, logits_of(model, grey.expand(-1, 3, -1, -1)))


@pytest.mark.parametrize(
    ("channels", "rule"),
    [(1, "mean"), (2, "repeat"), *((channels, "repeat") for channels in range(4, 8))],
)
def test_the_rules_are_those_of_timm(channels: int, rule: ChannelRule) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what timm warns of on import is not ours
        timm_models: Any = pytest.importorskip("timm.models", reason="timm is not installed")
    state = {"conv1.weight": torch.randn(8, 3, 7, 7)}
    got, _ = adapt_in_channels(state, ResNeXtConfig(), channels, rule)
    expected = timm_models.adapt_input_conv(channels, state["conv1.weight"].clone())
    torch.testing.assert_close(got["conv1.weight"], expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("rule", ["mean", "repeat"])
def test_only_the_first_convolution_changes_and_nothing_for_as_many_channels(
    rule: ChannelRule,
) -> None:
    given_state = trained_like(SMALL).state_dict()
    before = copy_of(given_state)
    same, config = adapt_in_channels(given_state, SMALL, 3, rule)
    assert config == SMALL
    assert_same_tensors(same, before)
    state, config = adapt_in_channels(given_state, SMALL, 5, rule)
    assert config == SMALL.replace(in_channels=5)
    assert changed(state, before) == {"conv1.weight"}
    assert_same_tensors(given_state, before)


def test_half_precision_is_kept_and_rounded_once() -> None:
    torch.manual_seed(0)
    weight = torch.randn(64, 3, 7, 7).bfloat16()
    state, _ = adapt_in_channels({"conv1.weight": weight}, ResNeXtConfig(), 5, "mean")
    got = state["conv1.weight"]
    assert got.dtype == torch.bfloat16
    exact = (weight.double().sum(dim=1, keepdim=True) / 5).expand_as(got)
    # 8 significant bits: half a unit of the last is at most 2^-8 of the value.
    torch.testing.assert_close(got.double(), exact, rtol=2**-8, atol=0)


def test_channels_and_rules_that_cannot_be_are_refused() -> None:
    with pytest.raises(ConfigError, match="in_channels=0"):
        adapt_in_channels({}, SMALL, 0)
    with pytest.raises(ConfigError, match="rule='sum': accepted are mean, repeat"):
        adapt_in_channels({}, SMALL, 1, "sum")  # type: ignore[arg-type]


@pytest.mark.slow
@given(small_configs(), st.integers(1, 9))
@settings(max_examples=20, deadline=None)
def test_a_new_head_changes_the_head_only(config: ResNeXtConfig, classes: int) -> None:
    given_state = trained_like(config).state_dict()
    before = copy_of(given_state)
    state, new = replace_head(given_state, config, classes)
    assert new == config.replace(num_classes=classes)
    rebuild(resnext(new), state)
    assert state["fc.weight"].dtype == torch.float64
    assert changed(state, before) == {"fc.weight", "fc.bias"}
    assert_same_tensors(given_state, before)


def test_a_new_head_is_drawn_as_torch_draws_one_and_has_no_bias() -> None:
    state = {"conv1.weight": torch.zeros(1)}
    new, _ = replace_head(state, ResNeXtConfig(), 10, generator=torch.Generator().manual_seed(4))
    torch.manual_seed(4)
    assert torch.equal(new["fc.weight"], nn.Linear(2048, 10).weight)
    bound = 1 / math.sqrt(2048)
    assert 0.99 * bound < new["fc.weight"].abs().max() <= bound
    assert torch.equal(new["fc.bias"], torch.zeros(10))


def test_a_generator_decides_the_new_head_and_torchs_own_is_the_default() -> None:
    state = trained_like(SMALL).state_dict()

    def head(generator: torch.Generator | None) -> torch.Tensor:
        return replace_head(state, SMALL, 5, generator=generator)[0]["fc.weight"]

    torch.manual_seed(3)
    default = head(None)
    assert torch.equal(head(torch.Generator().manual_seed(3)), default)
    assert not torch.equal(head(torch.Generator().manual_seed(4)), default)


def test_a_state_without_a_head_gets_one() -> None:
    state = trained_like(SMALL).state_dict()
    trunk = {name: tensor for name, tensor in state.items() if not name.startswith("fc.")}
    complete, new = replace_head(trunk, SMALL, 4)
    rebuild(resnext(new), complete)
    assert trunk.keys() == state.keys() - {"fc.weight", "fc.bias"}


def test_a_head_without_classes_is_refused() -> None:
    with pytest.raises(ConfigError, match="num_classes=0"):
        replace_head({}, SMALL, 0)


@pytest.mark.parametrize("family", BASELINES)
def test_the_baselines_take_other_channels_and_classes_too(family: Baseline) -> None:
    config = BaselineConfig(family=family)
    state, other = adapt_in_channels(shapes_of(config), config, 5)
    state, other = replace_head(state, other, 7)
    assert other == BaselineConfig(family=family, in_channels=5, num_classes=7)
    wanted = shapes_of(other)
    assert {name: tensor.shape for name, tensor in state.items()} == {
        name: tensor.shape for name, tensor in wanted.items()
    }


def adapted_logits(
    config: ResNeXtConfig, channels: int, rule: ChannelRule
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return an adapted network's logits and the images that it saw."""
    state, new = adapt_in_channels(trained_like(config).state_dict(), config, channels, rule)
    images = torch.randn(3, channels, *[13] * config.ndim, dtype=torch.float64)
    return logits_of(rebuild(resnext(new), state), images), images


@torch.no_grad()
def logits_of(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    logits: torch.Tensor = model(images)
    return logits


def changed(state: State, before: State) -> set[str]:
    assert state.keys() == before.keys()
    return {name for name in state if not torch.equal(state[name], before[name])}


def shapes_of(config: BaselineConfig) -> State:
    with torch.device("meta"):
        return build_baseline(config).state_dict()


def resnext(config: ModelConfig) -> ResNeXtConfig:
    assert isinstance(config, ResNeXtConfig)
    return config
