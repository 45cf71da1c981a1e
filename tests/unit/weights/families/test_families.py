"""Each library's names: a network of its own with random weights gives the same logits as ours."""

import functools
from collections.abc import Callable

import pytest
import torch
from peers import Detectron2Network, MMClassifier, Shape, pycls_network
from torch import nn

from resnext.errors import CheckpointError
from resnext.model.create import create_model
from resnext.weights.families.recognise import recognise
from resnext.weights.infer import infer_config
from resnext.weights.own_file import load_into

SHAPE = Shape()
PEERS: dict[str, Callable[[], nn.Module]] = {
    "pycls": lambda: pycls_network(SHAPE),
    "detectron2": lambda: Detectron2Network(SHAPE),
    "mmpretrain": lambda: MMClassifier(SHAPE),
}
BGR = {"pycls", "detectron2"}


def randomise(network: nn.Module, seed: int = 0) -> nn.Module:
    """Draw every tensor, BN's statistics included, so that no two layers can be confused."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            assert module.running_var is not None
            assert module.running_mean is not None
            for tensor in (module.weight.data, module.running_var):
                tensor.uniform_(0.5, 1.5, generator=generator)
            for tensor in (module.bias.data, module.running_mean):
                tensor.normal_(0, 0.1, generator=generator)
        elif isinstance(module, nn.Conv2d | nn.Linear):
            fan_in = module.weight[0].numel()
            module.weight.data.normal_(0, fan_in**-0.5, generator=generator)
    return network.eval()


def ours_from(network: nn.Module, **extra: torch.Tensor) -> tuple[nn.Module, str]:
    """Take a peer's state dict through recognition, inference and a strict load."""
    found = recognise({**network.state_dict(), **extra})
    assert not found.left_over
    model = create_model(infer_config(found.state))
    load_into(model, found.state)
    return model.eval(), found.family


def assert_same_logits(
    ours: nn.Module,
    theirs: Callable[[torch.Tensor], torch.Tensor],
    *,
    is_bgr: bool,
    size: int = 64,
) -> None:
    images = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = theirs(images.flip(1) if is_bgr else images)
        torch.testing.assert_close(ours(images), expected, rtol=1e-5, atol=1e-5)
        assert expected.std() > 0.01  # logits that differ at all


@pytest.mark.parametrize("family", PEERS)
def test_a_network_of_the_documented_layer_order_gives_the_same_logits(family: str) -> None:
    theirs = randomise(PEERS[family]())
    ours, recognised = ours_from(theirs)
    assert recognised == family
    assert_same_logits(ours, theirs, is_bgr=family in BGR)


def test_the_colours_of_a_family_in_blue_green_red_are_turned_round() -> None:
    theirs = randomise(pycls_network(SHAPE))
    ours, _ = ours_from(theirs)
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert not torch.allclose(ours(images), theirs(images), atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnext50_32x4d", "resnet18", "wide_resnet50_2"])
@pytest.mark.parametrize("library", ["torchvision", "timm"])
def test_torchvision_and_timm_networks_give_the_same_logits(library: str, name: str) -> None:
    if library == "timm":
        theirs = pytest.importorskip("timm", reason="timm is not installed").create_model(name)
    else:
        import torchvision

        theirs = getattr(torchvision.models, name)()
    theirs = randomise(theirs)
    ours, family = ours_from(theirs)
    assert family == "torchvision"
    assert_same_logits(ours, theirs, is_bgr=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "name", "size"),
    [
        ("resnext_cifar", "resnext29_32x4d_cifar10", 32),
        ("resnext", "resnext50_32x4d", 224),
        ("resnet", "resnet18", 224),
    ],
)
def test_pytorchcv_networks_give_the_same_logits(module: str, name: str, size: int) -> None:
    models = pytest.importorskip(f"pytorchcv.models.{module}", reason="pytorchcv is not installed")
    theirs = randomise(getattr(models, name)())
    ours, family = ours_from(theirs)
    assert family == "pytorchcv"
    assert_same_logits(ours, theirs, is_bgr=False, size=size)


def test_mmpretrains_own_network_gives_the_same_logits() -> None:
    models = pytest.importorskip("mmpretrain.models", reason="mmpretrain is not installed")
    backbone = {"type": "ResNeXt", "depth": 50, "groups": 32, "width_per_group": 4}
    head = {"type": "LinearClsHead", "num_classes": 1000, "in_channels": 2048}
    theirs = models.ImageClassifier(
        backbone=backbone, neck={"type": "GlobalAveragePooling"}, head=head
    )
    theirs = randomise(theirs)
    ours, family = ours_from(theirs)
    assert family == "mmpretrain"
    assert_same_logits(ours, functools.partial(theirs, mode="tensor"), is_bgr=False)


@pytest.mark.parametrize("place", ["backbone.", "backbone.bottom_up."])
def test_the_backbone_of_a_detector_is_found_and_the_detector_ignored(place: str) -> None:
    theirs = randomise(Detectron2Network(SHAPE))
    state = {
        place + name: tensor
        for name, tensor in theirs.state_dict().items()
        if not name.startswith("linear") and not name.endswith("num_batches_tracked")
    }
    state |= {"pixel_mean": torch.zeros(3), "roi_heads.box_predictor.weight": torch.zeros(2, 2)}
    found = recognise(state)
    assert (found.family, found.left_over) == ("detectron2", ())
    config = infer_config(found.state)
    assert (config.cardinality, config.bottleneck_width) == (SHAPE.cardinality, SHAPE.width)
    expected = set(create_model(config).state_dict()) - {"fc.weight", "fc.bias"}
    assert set(found.state) == expected


@pytest.mark.parametrize("prefix", ["module._orig_mod.", "backbone.", "model.net.", "a.b-c.0."])
def test_whatever_stands_before_all_names_comes_off(prefix: str) -> None:
    state = create_model("resnet18").state_dict()
    wrapped = {f"{prefix}{name}": tensor for name, tensor in state.items()}
    found = recognise({**wrapped, "n_averaged": torch.tensor(3)})
    assert (found.left_over, found.notes) == ((), ())
    assert found.state.keys() == state.keys()


def test_half_precision_becomes_float32_and_missing_counters_are_added() -> None:
    theirs = randomise(MMClassifier(SHAPE)).half()
    state = {n: t for n, t in theirs.state_dict().items() if not n.endswith("tracked")}
    found = recognise(state)
    assert found.state["conv1.weight"].dtype == torch.float32
    assert found.state["layer1.0.bn3.num_batches_tracked"] == 0


def test_names_of_no_family_are_refused_with_some_of_them() -> None:
    with pytest.raises(CheckpointError, match=r"encoder\.block\.0.*no known family"):
        recognise({"encoder.block.0.q.weight": torch.zeros(2, 2), "x.bias": torch.zeros(2)})


def test_layers_that_a_family_does_not_have_are_left_over() -> None:
    theirs = MMClassifier(SHAPE)
    name = "backbone.layer1.0.se.fc1.weight"
    assert recognise({**theirs.state_dict(), name: torch.zeros(1)}).left_over == (name,)
