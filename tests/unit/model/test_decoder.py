"""U-Net and FPN over our backbones: the other library's scores, exact costs, any size."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
import segmentation_models_pytorch as smp
import torch
from execution import kept_bytes, peak_bytes, run_layers
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from resnext.complexity.count import count
from resnext.errors import ConfigError
from resnext.model import decoder
from resnext.model.config import ResNeXtConfig, SegmenterConfig, config_from
from resnext.model.create import create_model
from resnext.model.names import name_of, parse_name

SMALL = ResNeXtConfig(
    blocks_per_stage=(1, 1, 1, 1),
    stage_widths=(8, 16, 24, 32),
    stem_width=8,
    cardinality=2,
    num_classes=0,
)
UNET, FPN = (
    SegmenterConfig(family=family, num_classes=5, backbone=SMALL) for family in ("unet", "fpn")
)
CIFAR = SMALL.replace(stem="cifar", blocks_per_stage=(1, 1, 1), stage_widths=(8, 16, 24))
CONFIGS = {
    "unet": UNET,
    "fpn": FPN,
    "unet, dilated": UNET.replace(backbone=SMALL.replace(output_stride=8)),
    "unet, CIFAR stem": UNET.replace(backbone=CIFAR),
    "unet, pre-activated": UNET.replace(backbone=SMALL.replace(preactivation=True)),
    "fpn, CIFAR stem": FPN.replace(backbone=SMALL.replace(stem="cifar")),
}


def images(height: int, width: int) -> torch.Tensor:
    return torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(0))


def ours_with(theirs: nn.Module, family: str) -> nn.Module:
    """Return our network with the weights of the other library's."""
    places = {
        "encoder": "backbone",
        "decoder": "classifier.decoder",
        "segmentation_head": "classifier.head",
    }
    state = {}
    for name, tensor in theirs.state_dict().items():
        first, _, rest = name.partition(".")
        state[f"{places[first]}.{rest}"] = tensor
    ours = create_model(f"{family}_resnet18", num_classes=7)
    ours.load_state_dict(state)
    return ours.eval()


@pytest.mark.slow
@pytest.mark.parametrize("family", ["unet", "fpn"])
def test_the_other_librarys_weights_give_its_scores(family: str) -> None:
    torch.manual_seed(0)
    kind: Any = {"unet": smp.Unet, "fpn": smp.FPN}[family]
    theirs = kind("resnet18", encoder_weights=None, classes=7).eval()
    with torch.no_grad():
        expected = theirs(images(64, 96))
        assert torch.equal(ours_with(theirs, family)(images(64, 96)), expected)
    assert expected.std() > 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", CONFIGS)
@pytest.mark.parametrize("sides", [(64, 96), (45, 70)])
def test_the_cost_is_that_of_the_executed_graph(kind: str, sides: tuple[int, int]) -> None:
    config = CONFIGS[kind]
    cost = count(config, (3, *sides))
    with torch.device("meta"):
        network, image = create_model(config).eval(), torch.empty(1, 3, *sides)
    assert cost.parameters == sum(p.numel() for p in network.parameters())
    assert list(cost.layers) == run_layers(network, image)
    with FlopCounterMode(display=False) as counter:
        network(image)
    biased = [row for row in cost.layers if row.name in _biased(network)]
    biases = sum(row.output.num_elements for row in biased)  # which torch's count leaves out
    assert counter.get_total_flops() == 2 * (cost.macs - biases)
    assert peak_bytes(network, image) == cost.peak_activation_bytes
    pair = torch.empty(2, 3, *sides, device="meta")
    assert kept_bytes(network.train(), pair) == cost.training_activation_bytes
    assert cost.stages[-1].output.sides == sides


def _biased(network: nn.Module) -> set[str]:
    convolutions = {n: m for n, m in network.named_modules() if isinstance(m, nn.Conv2d)}
    return {name for name, module in convolutions.items() if module.bias is not None}


@pytest.mark.parametrize("kind", CONFIGS)
def test_any_size_of_image_gets_scores_of_that_size(kind: str) -> None:
    network = create_model(CONFIGS[kind]).eval()
    for size in ((1, 1), (33, 7), (40, 64)):
        with torch.no_grad():
            assert network(images(*size)).shape == (2, 5, *size)


@pytest.mark.parametrize("kind", ["unet", "fpn"])
def test_a_second_head_has_the_images_size_too(kind: str) -> None:
    network: Any = create_model(CONFIGS[kind].replace(aux_head=True))
    main, aux = network.forward_with_aux(images(45, 70))
    assert main.shape == aux.shape == (2, 5, 45, 70)
    (main.mean() + aux.mean()).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize("name", ["unet_resnext50_32x4d", "fpn_resnext50_32x4d"])
def test_names_are_read_and_written(name: str) -> None:
    config = parse_name(name)
    assert isinstance(config, SegmenterConfig)
    assert (config.backbone.output_stride, config.backbone.num_classes) == (None, 0)
    assert name_of(config) == name
    assert config_from(config.model_dump(mode="json")) == config
    assert SegmenterConfig(family=config.family) == config


@pytest.mark.parametrize("config", [UNET, FPN], ids=["unet", "fpn"])
def test_copies_compute_the_same(config: SegmenterConfig) -> None:
    network = create_model(config).eval()
    with torch.no_grad():
        expected = network(images(45, 70))
        for copied in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
            assert torch.equal(copied(images(45, 70)), expected)


@pytest.mark.slow
@pytest.mark.parametrize("config", [UNET, FPN], ids=["unet", "fpn"])
def test_an_exported_program_takes_any_size(config: SegmenterConfig) -> None:
    network = create_model(config).eval()
    sizes = {2: torch.export.Dim.DYNAMIC, 3: torch.export.Dim.DYNAMIC}
    program = torch.export.export(network, (images(64, 96),), dynamic_shapes=(sizes,)).module()
    with torch.no_grad():
        for size in ((45, 70), (64, 96), (64, 70)):
            torch.testing.assert_close(program(images(*size)), network(images(*size)))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"backbone": CIFAR}, "fpn adds up the maps of 4 stages, and the backbone has 3; unet"),
        (
            {"backbone": SMALL.replace(output_stride=8)},
            "output_stride=8: fpn needs maps that halve",
        ),
    ],
)
def test_a_pyramid_that_cannot_be_is_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        FPN.replace(**changes)


@pytest.mark.parametrize("config", [UNET, FPN], ids=["unet", "fpn"])
def test_a_version_with_other_decoders_is_refused(
    config: SegmenterConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Other(nn.Module):
        out_channels = 128

        def __init__(self, **_: Any) -> None:
            super().__init__()

    for name, module in (("UnetDecoder", "unet"), ("FPNDecoder", "fpn")):
        found = decoder._module(f"decoders.{module}.decoder")
        monkeypatch.setattr(found, name, Other)
    with pytest.raises(ConfigError, match=r"install version 0\.5 or 0\.6"):
        create_model(config)
    monkeypatch.setattr(decoder, "_module", lambda _name: object())
    with pytest.raises(ConfigError, match="is not supported; install version"):
        create_model(config)


def test_without_the_library_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(feature: str, module: str) -> None:
        raise ConfigError(f"{feature} needs {module}")

    monkeypatch.setattr(decoder, "import_for", missing)
    with pytest.raises(ConfigError, match="the decoder of unet needs segmentation_models"):
        create_model(UNET)
