"""Networks that find objects: torchvision's weights and boxes, names, files, refusals."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from small_detector import SMALL
from torch import nn
from torchvision.models import detection
from torchvision.ops import FrozenBatchNorm2d

import resnext
from resnext.cli.main import main
from resnext.errors import CheckpointError, ConfigError
from resnext.model.card import ModelCard
from resnext.model.config import DetectorConfig, ResNeXtConfig, config_from
from resnext.model.create import create_model
from resnext.model.detector import build_detector
from resnext.model.names import name_of, parse_name
from resnext.weights.own_file import save_weights

BODY = SMALL.backbone
NAMES = {
    "retinanet_resnet50_fpn": "retinanet_resnet50",
    "retinanet_resnet50_fpn_v2": "retinanet_resnet50_v2",
    "fasterrcnn_resnet50_fpn": "fasterrcnn_resnet50",
    "fasterrcnn_resnet50_fpn_v2": "fasterrcnn_resnet50_v2",
    "maskrcnn_resnet50_fpn": "maskrcnn_resnet50",
    "maskrcnn_resnet50_fpn_v2": "maskrcnn_resnet50_v2",
}


def images() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.rand(3, 60, 90, generator=generator), torch.rand(3, 80, 40, generator=generator)]


def theirs_of(name: str, **options: Any) -> nn.Module:
    """Build a network of torchvision whose random weights give scores that are worth a box."""
    torch.manual_seed(0)
    network: nn.Module = getattr(detection, name)(
        weights=None, weights_backbone=None, num_classes=7, min_size=96, max_size=128, **options
    )
    last = "cls_logits" if name.startswith("retinanet") else "cls_score"
    for path, tensor in network.state_dict().items():
        if path.endswith(f"{last}.weight"):
            tensor.normal_(std=0.5)
        elif path.endswith(f"{last}.bias"):
            tensor.zero_()
        elif path.endswith("running_var"):
            tensor.uniform_(0.5, 2)
    return network.eval()


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_torchvisions_files_give_its_boxes(tmp_path: Path, name: str) -> None:
    theirs, path = theirs_of(name), tmp_path / "weights.pth"
    torch.save({"model": theirs.state_dict(), "epoch": 3}, path)
    loaded = resnext.load(path)
    assert isinstance(loaded.config, DetectorConfig)
    assert (name_of(loaded.config), loaded.config.num_classes) == (NAMES[name], 6)
    ours = build_detector(loaded.config.replace(min_size_px=96, max_size_px=128)).eval()
    ours.load_state_dict(loaded.module.state_dict())
    with torch.no_grad():
        expected, found = theirs(images()), ours(images())
    assert sum(len(image["boxes"]) for image in expected) > 20
    for theirs_image, ours_image in zip(expected, found, strict=True):
        assert theirs_image.keys() == ours_image.keys()
        for key, tensor in theirs_image.items():
            torch.testing.assert_close(ours_image[key], tensor, rtol=0, atol=1e-4)


@pytest.mark.parametrize("family", ["retinanet", "faster_rcnn", "mask_rcnn"])
@pytest.mark.parametrize("version", [1, 2])
def test_a_weight_file_gives_the_network_back(tmp_path: Path, family: str, version: int) -> None:
    config = SMALL.replace(family=family, version=version, frozen_norm=version == 1)
    torch.manual_seed(0)
    network = create_model(config).eval()
    card = ModelCard(mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.4), task="detection")
    save_weights(tmp_path / "net.safetensors", network, config, card)
    loaded = resnext.load(tmp_path / "net.safetensors")
    assert loaded.config == config
    transform: Any = loaded.module.transform
    assert transform.image_mean == [0.4, 0.5, 0.6]
    assert transform.image_std == [0.2, 0.3, 0.4]
    wanted = network.state_dict()
    assert wanted.keys() == loaded.module.state_dict().keys()
    with torch.no_grad():
        assert len(loaded.module(images())) == 2
    with pytest.raises(ConfigError, match=r"give network\.module a list of images"):
        loaded(torch.zeros(1, 3, 64, 64))


def test_training_gives_losses_and_gradients() -> None:
    torch.manual_seed(0)
    network = create_model(SMALL)
    box = torch.tensor([[5.0, 5.0, 40.0, 50.0]])
    targets = [{"boxes": box, "labels": torch.tensor([3])}] * 2
    losses = network(images(), targets)
    sum(losses.values()).backward()
    assert all(p.grad is not None for p in network.get_submodule("backbone.body").parameters())


def test_a_frozen_norm_has_no_parameters_and_torchvisions_names() -> None:
    network = create_model(SMALL.replace(frozen_norm=True, norm_epsilon=0.0))
    norms = [layer for layer in network.modules() if isinstance(layer, FrozenBatchNorm2d)]
    assert len(norms) == 1 + 4 * 4
    assert {norm.eps for norm in norms} == {0.0}
    assert not any("bn" in name for name, _ in network.named_parameters())


@pytest.mark.parametrize("written", [*NAMES.values(), "retinanet_resnext50_32x4d_v2"])
def test_names_are_read_and_written(written: str) -> None:
    config = parse_name(written)
    assert isinstance(config, DetectorConfig)
    assert config.version == 2 if written.endswith("_v2") else 1
    assert name_of(config) == written
    assert config_from(config.model_dump(mode="json")) == config


def test_torchvisions_names_are_understood() -> None:
    for theirs, ours in NAMES.items():
        assert parse_name(theirs) == parse_name(ours)
    with pytest.raises(ConfigError, match="goes with residual networks"):
        parse_name("retinanet_vgg16")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"backbone": BODY.replace(num_classes=3)}, "num_classes=3: the head is another"),
        ({"backbone": ResNeXtConfig(num_classes=0, output_stride=8)}, "output_stride=8"),
        ({"backbone": parse_name("resnext29_8x64d").replace(num_classes=0)}, "has 3 stages"),
        ({"max_size_px": 32}, "max_size_px=32 is less than min_size_px=64"),
        ({"max_size_px": 2**20}, "max_size_px"),
        ({"anchor_sizes_px": (32, 64)}, "anchor_sizes_px has 2 sizes"),
    ],
)
def test_what_no_head_can_stand_on_is_refused(changes: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        SMALL.replace(**changes)


def test_a_detector_has_no_maps_to_choose() -> None:
    with pytest.raises(ConfigError, match="finds objects"):
        create_model("retinanet_resnet18", out_indices=(1, 2))


def old_names(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Give tensors the names of torchvision's first published files."""
    old = {}
    for name, tensor in state.items():
        head, _, rest = name.partition(".conv.")
        if name.startswith("backbone.fpn"):
            name = name.replace(".0.weight", ".weight").replace(".0.bias", ".bias")
        elif head.endswith(("classification_head", "regression_head")) and rest:
            number, _, kind = rest.split(".")
            name = f"{head}.conv.{2 * int(number)}.{kind}"
        name = name.replace("rpn.head.conv.0.0.", "rpn.head.conv.")
        if name.startswith("roi_heads.mask_head."):
            number, _, kind = name.removeprefix("roi_heads.mask_head.").split(".")
            name = f"roi_heads.mask_head.mask_fcn{int(number) + 1}.{kind}"
        old[name] = tensor
    return old


@pytest.mark.parametrize("family", ["retinanet", "faster_rcnn", "mask_rcnn"])
def test_names_of_the_first_published_files_are_understood(tmp_path: Path, family: str) -> None:
    config = SMALL.replace(family=family, frozen_norm=True)
    state = create_model(config).state_dict()
    file = tmp_path / "fasterrcnn_resnet50_fpn_coco-258fb6c6.pth"
    torch.save(old_names(state), file)
    create_model(config).load_state_dict(old_names(state))  # torchvision renames them as well
    loaded = resnext.load(file)
    assert isinstance(loaded.config, DetectorConfig)
    assert loaded.config.norm_epsilon == 0.0
    found = loaded.module.state_dict()
    assert found.keys() == state.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in state.items())


def test_a_file_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    state = create_model(SMALL).state_dict()
    del state["head.regression_head.bbox_reg.weight"]
    torch.save(state, tmp_path / "broken.pth")
    with pytest.raises(CheckpointError, match=r"missing: head\.regression_head\.bbox_reg\.weight"):
        resnext.load(tmp_path / "broken.pth")
    state = create_model(SMALL).state_dict()
    name = "head.classification_head.cls_logits"
    state |= {f"{name}.weight": torch.zeros(10, 256, 3, 3), f"{name}.bias": torch.zeros(10)}
    torch.save(state, tmp_path / "anchors.pth")
    with pytest.raises(CheckpointError, match="only torchvision's own anchors are known"):
        resnext.load(tmp_path / "anchors.pth")


def test_the_backbone_of_a_detector_is_a_backbone(tmp_path: Path) -> None:
    network = create_model(SMALL.replace(frozen_norm=True))
    torch.save(network.state_dict(), tmp_path / "net.pth")
    backbone = resnext.load(tmp_path / "net.pth", out_indices=(1, 4)).module
    body = network.get_submodule("backbone.body").eval()
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        expected = body(image)["2"]  # RetinaNet's maps are those of stages 2 to 4
        torch.testing.assert_close(backbone(image)[-1], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_what_takes_classifiers_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    card = ModelCard(task="detection")
    save_weights(tmp_path / "net.safetensors", create_model(SMALL), SMALL, card)
    Image.new("RGB", (64, 64)).save("photo.png")
    for command in (
        "export net.safetensors --out net.onnx --int8 --data digits",
        "export net.safetensors --out net.onnx --precision bf16 --data digits",
        "features net.safetensors digits --out features.parquet",
        "benchmark retinanet_resnet18",
        "benchmark net.safetensors",
    ):
        assert main(command.split()) == 2, command
        told = capsys.readouterr().err
        assert re.search("(not support detectors, and|classifiers, but) retinanet finds", told)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.safetensors", "photo.png"]


def test_without_a_pyramid_the_last_stage_runs_on_every_region() -> None:
    torch.manual_seed(0)
    network: Any = create_model(SMALL.replace(family="faster_rcnn_c4")).eval()
    stage = network.roi_heads.box_head.layer4
    seen: list[tuple[int, ...]] = []
    stage.register_forward_hook(lambda _, inputs, __: seen.append(tuple(inputs[0].shape)))
    assert not hasattr(network.backbone.body, "layer4")
    (found,) = network([torch.rand(3, 64, 96)])
    ((num, channels, height, width),) = seen
    assert (channels, height, width) == (48, 14, 14)
    assert 0 < num <= 300
    assert found["boxes"].shape[1:] == (4,)
    losses = network.train()(
        [torch.rand(3, 64, 96)],
        [{"boxes": torch.tensor([[8.0, 8, 40, 40]]), "labels": torch.tensor([1])}],
    )
    sum(losses.values()).backward()
    assert seen[-1][0] <= 64  # of one image in training
    assert all(p.grad is not None for p in network.parameters())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"pyramid_channels": 64}, "pyramid_channels=64: faster_rcnn_c4 has no pyramid"),
        ({"version": 2}, "faster_rcnn_c4 only has version 1"),
    ],
)
def test_settings_of_a_pyramid_are_refused_without_one(change: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        SMALL.replace(family="faster_rcnn_c4", **change)


def test_the_name_without_a_pyramid_is_read_and_written() -> None:
    config = parse_name("faster_rcnn_c4_resnext50_32x4d")
    assert isinstance(config, DetectorConfig)
    assert config.family == "faster_rcnn_c4"
    assert name_of(config) == "fasterrcnn_c4_resnext50_32x4d"
    assert parse_name(name_of(config)) == config
