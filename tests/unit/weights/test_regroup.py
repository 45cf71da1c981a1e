"""C x d as C/m x (m·d) and back: the same function, the same numbers, or a refusal."""

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from random_networks import (
    assert_same_logits,
    assert_same_tensors,
    copy_of,
    rebuild,
    small_configs,
    trained_like,
)

from resnext.errors import ConfigError
from resnext.model.choices import Form
from resnext.model.config import BaselineConfig, ResNeXtConfig
from resnext.model.convert import convert_form
from resnext.model.plan import plan_network
from resnext.weights.regroup import regroup, split_groups

SMALL = ResNeXtConfig(
    blocks_per_stage=(1, 1), stage_widths=(16, 32), cardinality=4, bottleneck_width=4
)


@pytest.mark.slow
@given(small_configs(), st.data())
@settings(max_examples=60, deadline=None)
def test_fewer_groups_compute_the_same_and_more_groups_lead_back(
    config: ResNeXtConfig, data: st.DataObject
) -> None:
    wanted = data.draw(st.sampled_from(divisors(config.cardinality)))
    model = trained_like(config)
    before = copy_of(model.state_dict())
    state, new = regroup(model.state_dict(), config, wanted)
    assert (new.cardinality, new.form) == (wanted, config.form)
    assert new.bottleneck_width * wanted == config.bottleneck_width * config.cardinality

    x = torch.randn(4, config.in_channels, *[17] * config.ndim, dtype=torch.float64)
    with torch.no_grad():
        assert_same_logits(rebuild(new, state)(x), model(x))
    back, old = regroup(state, new, config.cardinality)
    assert old == config
    assert_same_tensors(back, before)
    assert_same_tensors(model.state_dict(), before)


@pytest.mark.slow
@given(small_configs(), st.data())
@settings(max_examples=40, deadline=None)
def test_every_weight_is_in_its_block_and_all_else_is_zero(
    config: ResNeXtConfig, data: st.DataObject
) -> None:
    wanted = data.draw(st.sampled_from(divisors(config.cardinality)))
    original = trained_like(config).state_dict()
    state, new = regroup(original, config, wanted)
    grouped, whole = convert_form(original, config, to="c"), convert_form(state, new, to="c")
    assert whole.keys() == grouped.keys()
    for name, tensor in grouped.items():
        if name.endswith(".conv2.weight"):
            expected = dense(tensor, config.cardinality)
            assert torch.equal(dense(whole[name], wanted), expected), name
        else:
            assert torch.equal(whole[name], tensor), name


@pytest.mark.slow
@given(small_configs(), st.data())
@settings(max_examples=40, deadline=None)
def test_merging_m_groups_multiplies_the_weights_of_the_3x3_convolutions_by_m(
    config: ResNeXtConfig, data: st.DataObject
) -> None:
    wanted = data.draw(st.sampled_from(divisors(config.cardinality)))
    state, new = regroup(trained_like(config).state_dict(), config, wanted)
    # (a) and (b) hold BN's count of batches once a path, which is no parameter.
    merged, grouped = (
        sum(weight.numel() for name, weight in tensors.items() if is_parameter(name))
        for tensors in (state, trained_like(config).state_dict())
    )
    blocks = [block for stage in plan_network(config).stages for block in stage]
    conv2 = sum(
        block.group_width * block.group_width // config.cardinality * 3**config.ndim
        for block in blocks
    )
    assert merged == grouped + (config.cardinality // wanted - 1) * conv2
    assert new.blocks_per_stage == config.blocks_per_stage


def test_a_network_without_groups_is_split_where_its_weights_are_block_diagonal() -> None:
    dense_config = SMALL.replace(cardinality=1, bottleneck_width=16)
    state = trained_like(dense_config).state_dict()
    for stage, width in (("layer1", 16), ("layer2", 32)):
        block = torch.arange(width) // (width // 4)
        state[f"{stage}.0.conv2.weight"] *= (block[:, None] == block)[:, :, None, None]
    narrow, config = regroup(state, dense_config, 4)
    assert config == SMALL
    x = torch.randn(3, 3, 33, 33, dtype=torch.float64)
    with torch.no_grad():
        assert_same_logits(rebuild(config, narrow)(x), rebuild(dense_config, state)(x))


@pytest.mark.parametrize("value", [1e-30, float("nan")])
@pytest.mark.parametrize("form", ["a", "b", "c"])
def test_one_weight_between_the_groups_forbids_to_split_and_is_named(
    value: float, form: Form
) -> None:
    state, config = regroup(trained_like(SMALL).state_dict(), SMALL, 2)
    state["layer2.0.conv2.weight"][0, 8, 1, 1] = value  # output 0, input of the second half
    given_state = convert_form(state, config, to=form)
    with pytest.raises(ConfigError, match=r"cardinality=4: layer2\.0\.conv2 mixes .*=2") as error:
        regroup(given_state, config.replace(form=form), 4)
    assert "layer1" not in str(error.value)


def test_all_layers_that_mix_are_counted() -> None:
    config = SMALL.replace(cardinality=2, bottleneck_width=8)
    with pytest.raises(ConfigError, match=r"layer1\.0\.conv2 and 1 more mixes"):
        regroup(trained_like(config).state_dict(), config, 4)


@pytest.mark.parametrize("cardinality", [0, -2, 3, 6, 32])
def test_a_cardinality_that_cannot_be_is_refused_with_those_that_can(cardinality: int) -> None:
    state = trained_like(SMALL).state_dict()
    with pytest.raises(ConfigError, match=rf"cardinality={cardinality}: .* 1, 2, 4, 8, 16:"):
        regroup(state, SMALL, cardinality)


def test_networks_without_grouped_convolutions_are_refused() -> None:
    basic = ResNeXtConfig(block="basic", cardinality=1, bottleneck_width=64)
    with pytest.raises(ConfigError, match="basic blocks"):
        regroup({}, basic, 2)
    with pytest.raises(ConfigError, match="vgg16_bn has no grouped"):
        regroup({}, BaselineConfig(family="vgg16_bn"), 2)


@given(st.integers(1, 3), st.integers(2, 4), st.integers(1, 3), st.integers(1, 3), st.data())
def test_a_weight_splits_only_where_it_is_zero_between_the_parts(
    groups: int, split: int, rows: int, columns: int, data: st.DataObject
) -> None:
    wide = torch.zeros(groups * split * rows, split * columns, 3)
    for row in range(len(wide)):
        column = row // rows % split * columns
        wide[row, column : column + columns] = torch.randn(columns, 3)
    narrow = split_groups(wide, groups, split)
    assert narrow is not None
    assert torch.equal(dense(narrow, groups * split), dense(wide, groups))
    row = data.draw(st.integers(0, len(wide) - 1))
    column = data.draw(st.integers(0, split * columns - 1))
    assume(column // columns != row // rows % split)
    wide[row, column, 1] = 1.0
    assert split_groups(wide, groups, split) is None


def dense(weight: torch.Tensor, groups: int) -> torch.Tensor:
    """Write the weight of a grouped convolution as that of an ordinary one, by its definition."""
    out_channels, width, *kernel = weight.shape
    whole = weight.new_zeros(out_channels, groups * width, *kernel)
    for row in range(out_channels):
        group = row * groups // out_channels
        whole[row, group * width : (group + 1) * width] = weight[row]
    return whole


def divisors(number: int) -> list[int]:
    return [divisor for divisor in range(1, number + 1) if number % divisor == 0]


def is_parameter(name: str) -> bool:
    return name.endswith((".weight", ".bias"))


def test_the_definition_of_a_grouped_convolution_is_torchs() -> None:
    weight, x = torch.randn(6, 2, 3).double(), torch.randn(1, 6, 9).double()
    convolve = torch.nn.functional.conv1d
    torch.testing.assert_close(convolve(x, dense(weight, 3)), convolve(x, weight, groups=3))
