"""The tables' cells: templates of every kind of block, titles, short numbers."""

import pytest

import resnext
from resnext.complexity.table import short
from resnext.complexity.template import stage_cell, stage_title
from resnext.model.config import ResNeXtConfig


def cell(config: ResNeXtConfig, name: str) -> list[str]:
    return stage_cell(config, resnext.count(config, 32), name).splitlines()


def test_the_brackets_are_as_wide_as_the_widest_layer() -> None:
    assert cell(ResNeXtConfig(), "layer2") == [
        "[ 1x1, 256       ]",
        "[ 3x3, 256, C=32 ] x4",
        "[ 1x1, 512       ]",
    ]


def test_the_pool_is_drawn_in_conv2_as_in_the_paper() -> None:
    assert cell(ResNeXtConfig(), "layer1")[0] == "3x3 max pool, stride 2"
    assert "pool" not in cell(ResNeXtConfig(stem="cifar"), "layer1")[0]
    assert cell(ResNeXtConfig(stem="cifar"), "stem") == ["3x3, 64"]


def test_paths_are_drawn_where_they_are_apart() -> None:
    form_a = cell(ResNeXtConfig(cardinality=8, form="a"), "layer2")
    assert [line[2:].rstrip("] x4") for line in form_a] == [
        *("1x1, 8 (8 paths)", "3x3, 8 (8 paths)", "1x1, 512 (8 paths)"),
    ]
    form_b = cell(ResNeXtConfig(cardinality=8, form="b"), "layer2")
    assert form_b[:2] == ["[ 1x1, 8 (8 paths) ]", "[ 3x3, 8 (8 paths) ] x4"]
    assert form_b[2] == "[ 1x1, 512         ]"


def test_kernels_have_the_dimensions_of_the_input() -> None:
    assert cell(ResNeXtConfig(ndim=1), "layer2")[1] == "[ 3, 256, C=32 ] x4"
    assert cell(ResNeXtConfig(ndim=3), "stem") == ["7x7x7, 64, stride 2"]


def test_a_basic_block_has_two_layers() -> None:
    config = ResNeXtConfig(block="basic", cardinality=1, bottleneck_width=64)
    assert cell(config, "layer3") == ["[ 3x3, 256 ]", "[ 3x3, 256 ] x6"]


def test_a_network_without_the_stage_has_an_empty_cell() -> None:
    assert cell(ResNeXtConfig(blocks_per_stage=(1, 1)), "layer3") == []


def test_stages_have_the_papers_names() -> None:
    names = ("stem", "layer1", "layer4", "head", "vgg16_bn")
    assert [stage_title(name) for name in names] == ["conv1", "conv2", "conv5", "fc", "vgg16_bn"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((7, "7  "), (999, "999  "), (1000, "1.00 K"), (205_824, "206 K")),
        *((14_500_000, "14.5 M"), (4_230_480_872, "4.23 G")),
        *((999_400, "999 K"), (999_960, "1.00 M"), (9_996, "10.0 K")),
    ],
)
def test_numbers_are_shortened_to_three_digits(value: int, text: str) -> None:
    assert short(value) == text
