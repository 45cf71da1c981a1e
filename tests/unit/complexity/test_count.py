"""The counts, held against the paper, against formulas and against executed networks."""

import random
import subprocess
import sys

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import resnext
from resnext.complexity.graph import peak_bytes, run_layers
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


def _random_config(draw: random.Random) -> ResNeXtConfig:
    stages = tuple(draw.randint(1, 2) for _ in range(draw.randint(1, 3)))
    basic = draw.random() < 0.2
    first = draw.choice([16, 24])
    return ResNeXtConfig(
        stem=draw.choice(["imagenet", "cifar"]),
        blocks_per_stage=stages,
        cardinality=1 if basic else draw.choice([1, 2, 3, 4]),
        bottleneck_width=draw.choice([1, 2, 4, 5, 8]),
        stage_widths=tuple(first * 2**stage for stage in range(len(stages))),
        stem_width=draw.choice([8, 16]),
        block="basic" if basic else "bottleneck",
        form="c" if basic else draw.choice(["a", "b", "c"]),
        shortcut=draw.choice(["A", "B", "C", "none"]),
        preactivation=draw.random() < 0.4,
        ndim=draw.choice([1, 2, 2, 3]),
        in_channels=draw.choice([1, 3]),
        num_classes=draw.choice([2, 10]),
    )


def test_200_random_networks_cost_what_their_execution_costs() -> None:
    draw = random.Random(0)
    for number in range(200):
        config = _random_config(draw)
        sides = tuple(draw.randint(7, 20) for _ in range(config.ndim))
        cost = resnext.count(config, sides)
        with torch.device("meta"):
            model = resnext.create_model(config).eval()
            image = torch.empty(1, config.in_channels, *sides)
        with FlopCounterMode(display=False) as flops:
            model(image)
        # FlopCounterMode leaves out the classifier's bias, one multiply-add a class
        assert 2 * (cost.macs - config.num_classes) == flops.get_total_flops(), config
        assert cost.parameters == sum(p.numel() for p in model.parameters()), config
        executed = run_layers(model, image)
        assert cost.activations == sum(layer.activations for layer in executed), config
        if number % 8 == 0:  # tracing the graph takes most of a second
            assert peak_bytes(model, image) == cost.peak_activation_bytes, (config, sides)


@pytest.mark.parametrize("preactivation", [False, True])
def test_every_layer_of_form_c_is_the_executed_layer(preactivation: bool) -> None:
    config = ResNeXtConfig(blocks_per_stage=(1, 2), preactivation=preactivation)
    with torch.device("meta"):
        model = resnext.create_model(config).eval()
        executed = run_layers(model, torch.empty(1, 3, 40, 56))
    assert list(resnext.count(config, (40, 56)).layers) == executed


@pytest.mark.parametrize("form", ["a", "b"])
def test_the_rows_of_all_paths_hold_the_parameters_of_all_paths(form: str) -> None:
    config = ResNeXtConfig(blocks_per_stage=(1,), cardinality=4, form=form)
    with torch.device("meta"):
        block = resnext.create_model(config).get_submodule("layer1.0")
    paths = block.get_submodule("paths")
    counted = {
        layer.name: layer for layer in resnext.count(config).layers if ".paths." in layer.name
    }
    assert all(layer.count == 4 for layer in counted.values())
    assert sum(layer.parameters for layer in counted.values()) == sum(
        p.numel() for p in paths.parameters()
    )


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


@pytest.mark.parametrize("name", ["vgg16_bn", "inception_v3"])
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


def test_an_input_too_small_for_a_baseline_is_explained() -> None:
    with pytest.raises(ConfigError, match="too small for inception_v3"):
        resnext.count("inception_v3", 32)


def test_counting_a_resnext_does_not_import_torch() -> None:
    code = (
        "import resnext, sys; resnext.count('resnext50_32x4d'); "
        "from resnext.cli.describe import main; main(['resnext50_32x4d', '--json']); "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
