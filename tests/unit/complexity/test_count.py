"""The counts, held against the paper and against its formulas."""

import subprocess
import sys

import pytest

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


@pytest.mark.parametrize(("cardinality", "width"), [(1, 64), (2, 40), (4, 24), (8, 14), (32, 4)])
def test_a_first_stage_block_costs_what_section_3_says(cardinality: int, width: int) -> None:
    config = ResNeXtConfig(cardinality=cardinality, bottleneck_width=width)
    convs = [
        layer.parameters
        for layer in resnext.count(config).layers
        if layer.name.startswith("layer1.1.conv")
    ]
    formula = cardinality * (256 * width + 3 * 3 * width * width + width * 256)
    assert sum(convs) == formula
    assert formula == pytest.approx(70_000, rel=0.05)


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
        (0, "each at least 1"),
    ],
)
def test_a_size_that_does_not_fit_is_explained(size: int | tuple[int, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        resnext.count("resnet50", size)


def test_counting_a_resnext_does_not_import_torch() -> None:
    code = (
        "import resnext, sys; resnext.count('resnext50_32x4d'); "
        "from resnext.cli.describe import main; main(['resnext50_32x4d', '--json']); "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
