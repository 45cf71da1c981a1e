"""The counts, held against the paper and against its formulas."""

from typing import Any

import pytest
from python_process import run_python

import resnext
from resnext.errors import ConfigError
from resnext.model.config import ResNeXtConfig
from resnext.model.names import config_from

# (parameters, multiply-adds or None, classes): PAPER's exact counts at 224, or 32 for CIFAR
EXACT = {
    "resnet50": (25_557_032, 4_089_185_256, 1000),
    "resnext50_32x4d": (25_028_904, 4_230_480_872, 1000),
    "resnet101": (44_549_160, 7_801_406_440, 1000),
    "resnext101_32x4d": (44_177_704, 7_969_997_800, 1000),
    "resnext152_32x4d": (59_951_400, 11_709_514_728, 1000),
    "resnext101_64x4d": (83_455_272, None, 1000),
    "resnext101_32x8d": (88_791_336, None, 1000),
    "resnext29_16x64d": (68_155_210, None, 10),
}


@pytest.mark.parametrize("name", EXACT)
def test_the_papers_exact_counts_are_met(name: str) -> None:
    parameters, macs, _ = EXACT[name]
    cost = resnext.count(name)
    assert cost.parameters == parameters
    assert macs is None or cost.macs == macs


def test_the_cifar_100_head_is_counted() -> None:
    config = config_from("resnext29_16x64d", num_classes=100)
    assert resnext.count(config, 32).parameters == 68_247_460


def test_resnext_29_8x64d_has_the_parameters_of_appendix_a() -> None:
    assert resnext.count("resnext29_8x64d").parameters == pytest.approx(34.4e6, abs=0.05e6)


# PAPER's table 2: cardinality, bottleneck width, width of the grouped convolution
TABLE_2 = [(1, 64, 64), (2, 40, 80), (4, 24, 96), (8, 14, 112), (32, 4, 128)]


@pytest.mark.parametrize(("cardinality", "width", "grouped"), TABLE_2)
def test_the_block_is_table_2s_and_costs_what_section_3_says(
    cardinality: int, width: int, grouped: int
) -> None:
    config = ResNeXtConfig(cardinality=cardinality, bottleneck_width=width)
    convs = {
        layer.name.removeprefix("layer1.1."): layer
        for layer in resnext.count(config).layers
        if layer.name.startswith("layer1.1.conv")
    }
    assert convs["conv2"].output.channels == grouped
    formula = cardinality * (256 * width + 3 * 3 * width * width + width * 256)
    assert sum(conv.parameters for conv in convs.values()) == formula
    assert formula == pytest.approx(70_000, rel=0.05)
    assert sum(conv.macs for conv in convs.values()) == pytest.approx(0.22e9, rel=0.05)


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_a_side_and_sides_and_a_shape_mean_the_same(ndim: int) -> None:
    config = ResNeXtConfig(blocks_per_stage=(1, 1), ndim=ndim, in_channels=5)
    cost = resnext.count(config, 17)
    assert cost.input_size == (5, *(17,) * ndim)
    assert resnext.count(config, (17,) * ndim) == cost
    assert resnext.count(config, [5, *(17,) * ndim]) == cost


def test_the_smallest_input_of_a_resnext_is_one_position() -> None:
    cost = resnext.count("resnext50_32x4d", 1)
    assert {layer.output.sides for layer in cost.layers} == {(1, 1), ()}


def test_the_default_input_is_the_one_that_a_network_is_made_for() -> None:
    names = ("resnet50", "resnext29_8x64d", "vgg16_bn", "inception_v3")
    sides = [resnext.count(name).input_size for name in names]
    assert sides == [(3, side, side) for side in (224, 32, 224, 299)]


def test_stages_add_up_to_the_total() -> None:
    cost = resnext.count("resnext50_32x4d")
    assert [stage.name for stage in cost.stages] == [
        *("stem", "layer1", "layer2", "layer3", "layer4"),
        "head",
    ]
    assert sum(stage.parameters for stage in cost.stages) == cost.parameters
    assert sum(stage.macs for stage in cost.stages) == cost.macs
    assert [stage.output.sides for stage in cost.stages[1:5]] == [
        (side, side) for side in (56, 28, 14, 7)
    ]


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ((1, 32, 32), "has 1 channels but the network takes 3; set in_channels=1"),
        ((3, 32, 32, 32), "give a side"),
        ((), "give a side"),
        (0, "each a whole number of at least 1"),
        ((3, 0, 32), "each a whole number of at least 1"),
        (224.0, "each a whole number of at least 1"),
        ("224", "each a whole number of at least 1"),
    ],
)
def test_a_size_that_does_not_fit_is_explained(size: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        resnext.count("resnet50", size)


def test_counting_a_resnext_does_not_import_torch() -> None:
    run_python(
        "import resnext, sys; resnext.count('resnext50_32x4d'); "
        "from resnext.cli.describe import main; main(['resnext50_32x4d', '--json']); "
        "assert 'torch' not in sys.modules"
    )
