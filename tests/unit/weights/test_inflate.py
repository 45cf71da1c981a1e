"""Weights for more dimensions: where each rule gives exactly what the old network gave."""

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from nonempty import nonempty
from random_networks import (
    assert_same_logits,
    assert_same_tensors,
    copy_of,
    rebuild,
    small_configs,
    trained_like,
)

from resnext.errors import ConfigError
from resnext.model.config import BaselineConfig, ResNeXtConfig
from resnext.model.plan import plan_network
from resnext.weights.inflate import InflationRule, inflate

IMAGES = ResNeXtConfig(
    blocks_per_stage=(1, 2), stage_widths=(12, 20), cardinality=2, num_classes=5, stem_width=8
)


@pytest.mark.slow
@given(small_configs(), st.integers(2, 3), st.lists(st.integers(1, 19), min_size=2, max_size=2))
@settings(max_examples=60, deadline=None)
def test_centre_gives_the_old_logits_on_constant_volumes_of_any_depth(
    config: ResNeXtConfig, ndim: int, depths: list[int]
) -> None:
    assume(config.ndim < ndim)
    model = trained_like(config)
    state, new = inflate(model.state_dict(), config, ndim, "centre")
    assert new == config.replace(ndim=ndim)
    x = torch.randn(3, config.in_channels, *[17] * config.ndim, dtype=torch.float64)
    deep = x
    for depth in depths[: ndim - config.ndim]:
        deep = lengthen(deep, depth)
    with torch.no_grad():
        assert_same_logits(rebuild(new, state)(deep), model(x))


@pytest.mark.parametrize("preactivation", [False, True])
@pytest.mark.parametrize("stem", ["cifar", "imagenet"])
def test_mean_gives_the_old_maps_wherever_no_window_reached_the_border(
    stem: str, preactivation: bool
) -> None:
    config = IMAGES.replace(stem=stem, preactivation=preactivation)
    model = trained_like(config)
    state, new = inflate(model.state_dict(), config, rule="mean")
    depth = 90 if stem == "imagenet" else 24
    x = torch.randn(1, 3, 17, 17, dtype=torch.float64)
    with torch.no_grad():
        flat, volume = model.features(x), rebuild(new, state).features(lengthen(x, depth))
    for stage, (first, end) in nonempty(interiors(config, depth).items()):
        expected = lengthen(flat[stage], volume[stage].shape[2])
        assert end - first >= 3
        torch.testing.assert_close(
            volume[stage][:, :, first:end], expected[:, :, first:end], rtol=0, atol=1e-12
        )
        # And nowhere else: zeros behind the border are not the image.
        difference = (volume[stage] - expected).abs().amax(dim=(0, 1, 3, 4))
        assert difference[[first - 1, end]].min() > 1e-6


@pytest.mark.slow
@given(small_configs(), st.sampled_from(["mean", "centre"]))
@settings(max_examples=30, deadline=None)
def test_kernels_along_the_new_dimension_sum_to_the_old_and_all_else_is_shared(
    config: ResNeXtConfig, rule: InflationRule
) -> None:
    assume(config.ndim < 3)
    given_state = trained_like(config).state_dict()
    before = copy_of(given_state)
    state, _ = inflate(given_state, config, config.ndim + 1, rule)
    assert_same_tensors(given_state, before)
    for name, old in before.items():
        new = state[name]
        if old.ndim < 3:
            assert new.data_ptr() == given_state[name].data_ptr(), name
            continue
        side = old.shape[-1]
        assert new.shape == (*old.shape[:2], side, *old.shape[2:]), name
        torch.testing.assert_close(new.sum(dim=2), old, rtol=1e-14, atol=0)
        for position in range(side):
            share = 1 / side if rule == "mean" else float(position == side // 2)
            torch.testing.assert_close(new[:, :, position], old * share, rtol=1e-15, atol=0)


@pytest.mark.parametrize("rule", ["mean", "centre"])
def test_two_dimensions_at_once_are_one_after_the_other(rule: InflationRule) -> None:
    config = IMAGES.replace(ndim=1)
    once, _ = inflate(trained_like(config).state_dict(), config, 3, rule)
    flat, between = inflate(trained_like(config).state_dict(), config, 2, rule)
    assert_same_tensors(inflate(flat, between, 3, rule)[0], once)


def test_as_many_dimensions_change_nothing() -> None:
    state = trained_like(IMAGES).state_dict()
    same, config = inflate(state, IMAGES, 2)
    assert config == IMAGES
    assert_same_tensors(same, state)


def test_what_cannot_be_inflated_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"ndim=1: the network has 2 .* accepted are 2 to 3"):
        inflate({}, IMAGES, 1)
    with pytest.raises(ConfigError, match="ndim=4"):
        inflate({}, IMAGES, 4)
    with pytest.raises(ConfigError, match="rule='zero': accepted are mean, centre"):
        inflate({}, IMAGES, 3, "zero")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="inception_v3 exists for images only"):
        inflate({}, BaselineConfig(family="inception_v3"))


def lengthen(x: torch.Tensor, depth: int) -> torch.Tensor:
    """Repeat a map along a new first spatial dimension."""
    return x.unsqueeze(2).repeat_interleave(depth, dim=2)


def interiors(config: ResNeXtConfig, depth: int) -> dict[str, tuple[int, int]]:
    """Return the positions of each stage's map that depend on no padding, as [first, end).

    Output j of a window of side k, stride s and padding p reads j·s-p up to j·s-p+k-1.
    """
    plan = plan_network(config)

    def narrow(first: int, end: int, side: int, stride: int) -> tuple[int, int]:
        padding = side // 2
        return -(-(first + padding) // stride), (end + padding - side) // stride + 1

    first, end = narrow(0, depth, plan.stem.kernel, plan.stem.stride)
    if plan.stem.pool:
        first, end = narrow(first, end, 3, 2)
    found = {}
    for number, stage in enumerate(plan.stages, 1):
        for block in stage:
            first, end = narrow(first, end, 3, block.stride)
        found[f"layer{number}"] = (first, end)
    return found
