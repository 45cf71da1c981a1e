"""Which of our networks timm builds, and under which name and arguments."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnext.model.config import ResNeXtConfig
from resnext.model.names import parse_name
from resnext.weights.timm_format import to_timm, why_not_timm

ODD = ResNeXtConfig(
    blocks_per_stage=(1, 1, 1, 1),
    cardinality=8,
    bottleneck_width=4,
    stage_widths=(64, 128, 256, 512),
)


@pytest.mark.parametrize(
    "name",
    ["resnet18", "resnet50", "resnet200", "resnext50_32x4d", "resnext101_32x8d"],
)
def test_networks_that_timm_has_need_no_arguments(name: str) -> None:
    assert to_timm(parse_name(name)) == {"architecture": name, "model_args": {}}


def test_arguments_say_only_what_the_nearest_name_does_not() -> None:
    config = parse_name("resnext101_2x40d").replace(in_channels=1)
    assert to_timm(config) == {
        "architecture": "resnext101_32x4d",
        "model_args": {"cardinality": 2, "base_width": 40, "in_chans": 1},
    }


def test_narrow_stages_are_given_by_channels_and_a_wider_base() -> None:
    # planes are a quarter of the stage widths; 4 = 16 * base_width / 64
    found = to_timm(ODD)
    assert found is not None
    assert found["model_args"] == {
        "layers": [1, 1, 1, 1],
        "cardinality": 8,
        "base_width": 16,
        "channels": [16, 32, 64, 128],
    }


def test_the_form_of_the_blocks_does_not_matter() -> None:
    assert to_timm(ODD.replace(form="a")) == to_timm(ODD)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"stem": "cifar"}, "stem is CIFAR's"),
        ({"preactivation": True}, "pre-activated"),
        ({"ndim": 3}, "3 spatial"),
        ({"shortcut": "A"}, "type A"),
        ({"shortcut": "none"}, "type none"),
        ({"blocks_per_stage": (1, 1, 1), "stage_widths": (64, 128, 256)}, "3 stages"),
        ({"stem_width": 32}, "32 channels"),
        ({"stage_widths": (66, 128, 256, 512)}, "multiples of 4"),
        ({"stage_widths": (64, 96, 160, 256)}, "no one base width"),
    ],
)
def test_what_timm_lacks_is_named(changes: dict[str, object], reason: str) -> None:
    config = ODD.replace(**changes)
    assert to_timm(config) is None
    assert reason in why_not_timm(config)


def test_projections_everywhere_are_timms_where_each_is_due_anyway() -> None:
    """With one block a stage that changes the shape, type C is type B."""
    assert to_timm(ODD.replace(stage_widths=(256, 512, 1024, 2048), shortcut="C")) is not None
    assert "type C" in why_not_timm(ODD.replace(shortcut="C"))  # 64 channels into 64


def test_a_baseline_is_no_resnet_of_timms() -> None:
    assert why_not_timm(parse_name("vgg16_bn")) == "vgg16_bn is not a ResNet"


@given(
    first_plane=st.integers(1, 600),
    widths=st.tuples(*[st.integers(1, 3)] * 3),
    width=st.integers(1, 130),
    cardinality=st.sampled_from([1, 2, 8]),
)
def test_timms_formula_gives_our_widths_in_every_stage(
    first_plane: int, widths: tuple[int, ...], width: int, cardinality: int
) -> None:
    """floor(planes * (base_width / 64)) * cardinality channels, in the 3x3 of each stage."""
    planes = [first_plane]
    for factor in widths:
        planes.append(planes[-1] * factor)
    config = ResNeXtConfig(
        blocks_per_stage=(1, 1, 1, 1),
        cardinality=cardinality,
        bottleneck_width=width,
        stage_widths=tuple(4 * plane for plane in planes),
        shortcut="B",
    )
    found = to_timm(config)
    if widths == (2, 2, 2):
        assert found is not None  # the base width 64 * d / planes fits all stages alike
    if found is None:
        return
    arguments = {"base_width": 4, "cardinality": 32, **found["model_args"]}
    if found["architecture"].startswith("resnet"):
        arguments = {"base_width": 64, "cardinality": 1, **found["model_args"]}
    base_width = arguments["base_width"]
    got = [int(plane * (base_width / 64)) * arguments["cardinality"] for plane in planes]
    assert got == [cardinality * width * 2**stage for stage in range(4)]
