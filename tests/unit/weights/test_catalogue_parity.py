"""Each fact that a publisher's installed library knows is the same in the catalogue."""

import math
from collections import Counter
from functools import cache
from typing import Any

import pytest
import torch
from torch import nn
from torchvision import models

from resnext.errors import ConfigError
from resnext.model.create import create_model
from resnext.weights.catalogue import entries, find_entry
from resnext.weights.entry import WeightsEntry

Shapes = dict[str, tuple[int, ...]]

_WIDE = {"wide_resnet50_2": "resnet50_1x128d", "wide_resnet101_2": "resnet101_1x128d"}


def of_family(family: str) -> list[WeightsEntry]:
    return [entry for entry in entries() if entry.family == family]


def shapes_of(model: nn.Module) -> Shapes:
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


@cache
def our_shapes(network: str, num_classes: int = 1000) -> Shapes:
    with torch.device("meta"):
        return shapes_of(create_model(network, num_classes=num_classes))


def torchvision_names() -> list[str]:
    home = models.resnet.__name__
    names: list[str] = models.list_models(module=models)
    return [name for name in names if models.get_model_builder(name).__module__ == home]


def torchvision_weights() -> list[tuple[str, Any]]:
    names = torchvision_names()
    return [(name, weights) for name in names for weights in models.get_model_weights(name)]


@pytest.mark.parametrize(
    ("theirs", "weights"), torchvision_weights(), ids=lambda value: getattr(value, "name", value)
)
def test_torchvisions_own_facts_are_ours(theirs: str, weights: Any) -> None:
    entry = find_entry(f"{_WIDE.get(theirs, theirs)}.{weights.name}")
    preset = weights.transforms()
    assert entry.family == "torchvision"
    assert entry.address == weights.url
    assert weights.url.endswith(f"-{entry.sha256}.pth")
    assert entry.num_classes == len(weights.meta["categories"])
    assert preset.crop_size == [entry.image_size_px]
    assert preset.resize_size == [entry.resize_px]
    assert preset.interpolation.value == entry.interpolation
    assert tuple(preset.mean) == entry.mean
    assert tuple(preset.std) == entry.std
    accuracy = weights.meta["_metrics"]["ImageNet-1K"]["acc@1"]
    assert entry.top1_error == pytest.approx(100 - accuracy, abs=1e-9)


def test_torchvision_has_no_resnet_that_we_lack_and_we_none_that_it_lacks() -> None:
    theirs = {weights.url for _, weights in torchvision_weights()}
    ours = {entry.address for entry in of_family("torchvision") if entry.task == "classification"}
    assert ours == theirs


@pytest.mark.slow
@pytest.mark.parametrize("theirs", torchvision_names())
def test_torchvision_builds_the_network_that_we_name(theirs: str) -> None:
    with torch.device("meta"):
        expected = shapes_of(models.get_model(theirs))
    assert our_shapes(_WIDE.get(theirs, theirs)) == expected


def timm_cfg(entry: WeightsEntry) -> Any:
    pytest.importorskip("timm", reason="timm is not installed")
    from timm.models import get_pretrained_cfg

    return get_pretrained_cfg(entry.name)


@pytest.mark.parametrize("entry", of_family("timm"), ids=lambda entry: entry.name)
def test_timms_own_facts_are_ours(entry: WeightsEntry) -> None:
    cfg = timm_cfg(entry)
    assert cfg is not None
    image_size_px = (cfg.test_input_size or cfg.input_size)[-1]
    assert entry.address == f"hf-hub:{cfg.hf_hub_id}/model.safetensors"
    assert cfg.hf_hub_filename is None  # so that the file has the usual name
    assert entry.licence.lower() == cfg.license
    assert entry.num_classes == cfg.num_classes
    assert entry.image_size_px == image_size_px
    assert entry.resize_px == math.floor(image_size_px / (cfg.test_crop_pct or cfg.crop_pct))
    assert (entry.mean, entry.std) == (cfg.mean, cfg.std)
    assert entry.interpolation == cfg.interpolation
    assert cfg.crop_mode == "center"
    assert not cfg.custom_load


def test_timms_files_are_read_as_safetensors_under_that_name() -> None:
    pytest.importorskip("timm", reason="timm is not installed")
    from timm.models import _hub

    assert _hub.HF_SAFE_WEIGHTS_NAME == "model.safetensors"


@pytest.mark.slow
def test_timm_has_no_plain_network_that_we_lack_and_ours_are_plain() -> None:
    pytest.importorskip("timm", reason="timm is not installed")
    from timm.models import is_model
    from timm.models.resnet import default_cfgs

    theirs = {
        f"{name}.{tag}"
        for name, cfgs in default_cfgs.items()
        if is_model(name) and is_plain(name)
        for tag, cfg in cfgs.cfgs.items()
        if cfg.has_weights and cfg.num_classes == 1000
    }
    assert {entry.name for entry in of_family("timm")} == theirs


def is_plain(name: str) -> bool:
    """Say whether our network of this name has timm's tensors and its activation."""
    import timm

    try:
        ours = our_shapes(_WIDE.get(name, name))
    except ConfigError:
        return False
    with torch.device("meta"):
        model = timm.create_model(name)
    activations = {type(module) for module in model.modules() if hasattr(module, "inplace")}
    return ours == shapes_of(model) and activations == {nn.ReLU}


def pytorchcv_store() -> dict[str, tuple[int, str, str, str]]:
    module = imported_from_pytorchcv("models.common.model_store")
    store: dict[str, tuple[int, str, str, str]] = module.get_model_metainfo_dict()
    return store


def imported_from_pytorchcv(module: str) -> Any:
    return pytest.importorskip(f"pytorchcv.{module}", reason="pytorchcv is not installed")


def pytorchcv_name(entry: WeightsEntry) -> str:
    network = {"resnet272": "resnext272_1x64d"}.get(entry.network, entry.network)
    return f"{network}_{entry.classes}"


@pytest.mark.parametrize("entry", of_family("pytorchcv"), ids=lambda entry: entry.name)
def test_pytorchcvs_own_facts_are_ours(entry: WeightsEntry) -> None:
    name = pytorchcv_name(entry)
    _, error, sha1, release = pytorchcv_store()[name]
    assert entry.sha1 == sha1
    assert entry.top1_error == pytest.approx(int(error) / 100, abs=1e-9)
    repository = "https://github.com/osmr/imgclsmob"
    file = f"{name}-{error}-{sha1[:8]}.pth.zip"
    assert entry.address == f"{repository}/releases/download/{release}/{file}"


def test_pytorchcv_has_no_cifar_resnext_that_we_lack() -> None:
    theirs = {
        name
        for name, (_, _, sha1, _) in pytorchcv_store().items()
        if name.startswith("resnext") and name.endswith(("cifar10", "cifar100", "svhn"))
        if sha1 != "NA"
    }
    assert {pytorchcv_name(entry) for entry in of_family("pytorchcv")} == theirs


@pytest.mark.slow
@pytest.mark.parametrize("entry", of_family("pytorchcv"), ids=lambda entry: entry.name)
def test_pytorchcv_builds_the_network_that_we_name(entry: WeightsEntry) -> None:
    provider = imported_from_pytorchcv("model_provider")
    with torch.device("meta"):
        theirs: nn.Module = provider.get_model(pytorchcv_name(entry))
        ours = create_model(entry.network, num_classes=entry.num_classes)
    assert Counter(shapes_of(theirs).values()) == Counter(shapes_of(ours).values())
    assert convolutions(theirs) == convolutions(ours)


def convolutions(model: nn.Module) -> Counter[Any]:
    """Count the convolutions of each kind, with the stride where it is."""
    return Counter(
        (module.in_channels, module.out_channels, module.kernel_size, module.stride, module.groups)
        for module in model.modules()
        if isinstance(module, nn.Conv2d)
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "millions"),
    [
        ("resnext50_32x4d.mmpretrain", 25.03),
        ("resnext101_32x4d.mmpretrain", 44.18),
        ("resnext101_32x8d.mmpretrain", 88.79),
        ("resnext152_32x4d.mmpretrain", 59.95),
        ("resnet18.mmpretrain", 11.69),
        ("resnet50.mmpretrain", 25.56),
        ("resnet101.mmpretrain", 44.55),
        ("resnet152.mmpretrain", 60.19),
        ("resnet_2-2-2-2_basic_cifar.mmpretrain_cifar10", 11.17),
        ("resnet_3-4-6-3_basic_cifar.mmpretrain_cifar10", 21.28),
        ("resnet_3-4-6-3_cifar.mmpretrain_cifar10", 23.52),
        ("resnet_3-4-23-3_cifar.mmpretrain_cifar10", 42.51),
        ("resnet_3-8-36-3_cifar.mmpretrain_cifar10", 58.16),
        ("resnet_3-4-6-3_cifar.mmpretrain_cifar100", 23.71),
        ("resnet50.pycls", 25.6),
        ("resnet101.pycls", 44.5),
        ("resnet152.pycls", 60.2),
        ("resnext50_32x4d.pycls", 25.0),
        ("resnext101_32x4d.pycls", 44.2),
        ("resnext152_32x4d.pycls", 60.0),
    ],
)
def test_networks_have_as_many_parameters_as_their_publisher_says(
    name: str, millions: float
) -> None:
    """Sources: mmpretrain's metafile.yml of resnext and resnet; pycls' MODEL_ZOO.md."""
    entry = find_entry(name)
    with torch.device("meta"):
        model = create_model(entry.network, num_classes=entry.num_classes)
    count = sum(parameter.numel() for parameter in model.parameters())
    digits = 1 if entry.family == "pycls" else 2
    assert count / 1e6 == pytest.approx(millions, abs=0.51 * 10**-digits)
