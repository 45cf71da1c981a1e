"""A smaller output stride by dilation: timm's and torchvision's networks, and exact counts."""

import json
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import small_configs, trained_like
from torch import nn
from torchvision import models

from resnext.complexity.count import count
from resnext.complexity.template import stage_cell, variant
from resnext.complexity.verify import verify_count
from resnext.errors import ConfigError
from resnext.model import registry
from resnext.model.blocks import GroupedBottleneck, ResidualBlock
from resnext.model.config import ResNeXtConfig, config_from
from resnext.model.convert import convert_form
from resnext.model.create import create_model
from resnext.model.layers import conv
from resnext.model.names import parse_name
from resnext.model.parts import BlockPart
from resnext.model.plan import BlockPlan, plan_network
from resnext.model.registry import register
from resnext.model.template import output_strides

SMALL = ResNeXtConfig(
    stem_width=8, blocks_per_stage=(1, 2, 2), stage_widths=(16, 24, 32), cardinality=4
).replace(bottleneck_width=2, num_classes=5, in_channels=2)


def disturb(model: nn.Module) -> None:
    """Give BN parameters and statistics under which a layer left out would show."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.3)
            nn.init.uniform_(module.get_buffer("running_var"), 0.5, 1.5)


@pytest.mark.slow
@pytest.mark.parametrize("output_stride", [8, 16])
@pytest.mark.parametrize("name", ["resnet18", "resnet26", "resnext50_32x4d"])
def test_weights_of_timms_dilated_network_give_its_logits_and_maps(
    name: str, output_stride: int
) -> None:
    timm = pytest.importorskip("timm")
    torch.manual_seed(0)
    theirs = timm.create_model(name, num_classes=7, output_stride=output_stride).eval()
    disturb(theirs)
    ours = create_model(name, num_classes=7, output_stride=output_stride).eval()
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(1, 3, 72, 56)
    with torch.no_grad():
        assert torch.equal(ours(x), theirs(x))
        last, maps = ours.forward_intermediates(x)
        their_last, their_maps = theirs.forward_intermediates(x)
    assert torch.equal(last, their_last)
    assert len(maps) == len(their_maps) == 5
    assert all(torch.equal(a, b) for a, b in zip(maps, their_maps, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dilated", "output_stride"),
    [([False, False, True], 16), ([False, True, True], 8), ([True, True, True], 4)],
)
def test_weights_of_torchvisions_dilated_network_give_its_logits(
    dilated: list[bool], output_stride: int
) -> None:
    torch.manual_seed(0)
    theirs: Any = models.resnext50_32x4d(replace_stride_with_dilation=dilated, num_classes=7)
    disturb(theirs.eval())
    ours = create_model("resnext50_32x4d", num_classes=7, output_stride=output_stride).eval()
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(1, 3, 64, 40)
    with torch.no_grad():
        assert torch.equal(ours(x), theirs(x))


@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize("stem", ["imagenet", "cifar"])
@pytest.mark.parametrize("form", ["a", "c"])
def test_the_last_map_has_the_stride_that_was_asked_for(ndim: int, stem: Any, form: str) -> None:
    for output_stride in output_strides(stem, 3):
        model = create_model(SMALL, ndim=ndim, stem=stem, form=form, output_stride=output_stride)
        maps = model.features(torch.randn(2, 2, *[16] * ndim))
        sides = [set(x.shape[2:]) for x in maps.values()]
        reductions = [min(output_stride, output_strides(stem, 3)[n]) for n in range(3)]
        assert sides == [{16 // reduction} for reduction in reductions]
        assert model.feature_info.reduction((1, 2, 3)) == reductions


@pytest.mark.slow
@given(small_configs(), st.integers(0, 1))
@settings(max_examples=25, deadline=None)
def test_a_dilated_network_sees_what_the_strided_one_sees(config: ResNeXtConfig, back: int) -> None:
    """Its last map holds the strided network's: dilated filters meet the same positions."""
    strides = output_strides(config.stem, len(config.blocks_per_stage))
    dilated = config.replace(output_stride=strides[max(0, len(strides) - 1 - back)])
    model, strided = trained_like(dilated), trained_like(config)
    strided.load_state_dict(model.state_dict())
    x = torch.randn(1, config.in_channels, *[9] * config.ndim, dtype=torch.float64)
    dense, sparse = model.forward_features(x), strided.forward_features(x)
    step = strides[-1] // (dilated.output_stride or strides[-1])
    every: Any = (..., *[slice(None, None, step)] * config.ndim)
    taken = dense[every]
    torch.testing.assert_close(taken, sparse, rtol=1e-9, atol=1e-9)


@pytest.mark.slow
@given(small_configs(), st.integers(0, 1), st.integers(5, 20))
@settings(max_examples=25, deadline=None)
def test_the_count_of_a_dilated_network_is_what_torch_executes(
    config: ResNeXtConfig, back: int, side: int
) -> None:
    strides = output_strides(config.stem, len(config.blocks_per_stage))
    dilated = config.replace(output_stride=strides[max(0, len(strides) - 1 - back)])
    cost = verify_count(dilated, side)
    assert cost.parameters == count(config, side).parameters


def test_the_count_of_dilated_stages_grows_with_their_maps() -> None:
    plain, dilated = (count(parse_name("resnext50_32x4d").replace(**kw), 224) for kw in KINDS)
    assert dilated.parameters == plain.parameters
    for name, times in {"stem": 1, "layer1": 1, "layer2": 1, "layer3": 4, "layer4": 16}.items():
        macs = [
            stage.macs for cost in (plain, dilated) for stage in cost.stages if stage.name == name
        ]
        first = 0
        if times > 1:  # the first block's 1x1 works on the larger map already
            first = next(row.macs for row in plain.layers if row.name == f"{name}.0.conv1")
        before = {"layer3": 1, "layer4": 4}.get(name, 1)
        assert macs[1] == times * (macs[0] - first) + before * first


KINDS: tuple[dict[str, int], ...] = ({}, {"output_stride": 8})


def test_tables_name_the_dilation_of_a_stage() -> None:
    config = parse_name("resnet50").replace(output_stride=8)
    cost = count(config, 64)
    ends = [stage_cell(config, cost, f"layer{n}").splitlines()[-1] for n in (2, 3, 4)]
    assert "dilation" not in ends[0]
    assert ends[1:] == ["dilation 2 (first block 1)", "dilation 4 (first block 2)"]
    assert variant(config) == ["output stride 8"]
    headless = config.replace(num_classes=0)
    assert stage_cell(headless, count(headless, 64), "head") == "global average pool"


@pytest.mark.parametrize("form", ["a", "b"])
def test_dilated_forms_are_the_same_function(form: Any) -> None:
    config = SMALL.replace(output_stride=4)
    grouped = trained_like(config)
    other = trained_like(config.replace(form=form))
    other.load_state_dict(convert_form(grouped.state_dict(), config, to=form))
    x = torch.randn(2, 2, 20, 20, dtype=torch.float64)
    torch.testing.assert_close(other(x), grouped(x), rtol=1e-10, atol=1e-10)


def test_what_the_steps_give_is_the_same_network() -> None:
    plain = parse_name("resnext50_32x4d")
    assert plain.replace(output_stride=32) == plain
    assert plain.replace(output_stride=8) != plain
    cifar = parse_name("resnext29_8x64d")
    assert cifar.replace(output_stride=4) == cifar


def test_a_network_without_dilation_is_written_as_by_earlier_versions() -> None:
    config = parse_name("resnext50_32x4d")
    assert "output_stride" not in json.loads(config.model_dump_json())
    assert "output_stride" not in config.model_dump()
    assert config_from(json.loads(config.model_dump_json())) == config
    dilated = config.replace(output_stride=16)
    assert config_from(json.loads(dilated.model_dump_json())) == dilated


@pytest.mark.parametrize("given", [0, 3, 64, 2.0, 8.0, 32.0, True, "8"])
def test_another_stride_is_refused(given: Any) -> None:
    with pytest.raises(ConfigError, match="output_stride="):
        parse_name("resnet50").replace(output_stride=given)


def test_the_refusal_names_the_strides_of_the_network() -> None:
    with pytest.raises(ConfigError, match=r"can be 1, 2 or 4; 4 is"):
        parse_name("resnext29_8x64d").replace(output_stride=8)
    with pytest.raises(ConfigError, match=r"4, 8, 16 or 32"):
        parse_name("resnet50").replace(output_stride=2)


def test_a_dilated_stage_of_equal_width_keeps_its_projection() -> None:
    config = SMALL.replace(stage_widths=(16, 16, 16))
    dilated = config.replace(output_stride=4)
    assert list(create_model(config).state_dict()) == list(create_model(dilated).state_dict())
    assert plan_network(dilated).stages[2][0].shortcut == "projection"


class Undilated(GroupedBottleneck):
    """Forgets the dilation."""

    def add_branch(self, plan: BlockPlan, config: ResNeXtConfig) -> None:
        super().add_branch(plan, config)
        self.conv2 = conv(config.ndim, plan.group_width, plan.group_width, 3, plan.stride)


class Plain(BlockPart):
    def build(self, plan: BlockPlan, config: ResNeXtConfig) -> ResidualBlock:
        return Undilated(plan, config)

    def count(self, *_: Any) -> Any:
        raise NotImplementedError


def test_a_registered_block_that_ignores_dilation_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry, "_parts", dict(registry._parts))
    register("undilated")(Plain)
    config = SMALL.replace(block={"name": "undilated"})
    create_model(config)
    with pytest.raises(
        ConfigError, match=r"'undilated': none of its convolutions has the dilation"
    ):
        create_model(config, output_stride=4)
