"""What a detector takes from trained weights, and what it freezes, with and without a pyramid."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from box_folders import NAMES, TINY_DETECTOR
from torch import nn

from resnext.data.split import DataInfo
from resnext.model.card import ModelCard
from resnext.model.config import DetectorConfig, ModelConfig
from resnext.model.create import create_model
from resnext.model.names import config_from
from resnext.runs.config import OptimConfig, TrainConfig
from resnext.runs.runtime import Runtime
from resnext.training.boxes import prepare_detector
from resnext.training.finetune import (
    check_pretrained,
    freeze,
    load_pretrained,
    set_train_mode,
)
from resnext.training.head import head_keys
from resnext.training.optimizer import build_optimizer
from resnext.weights.change import only_backbone, to_start_from
from resnext.weights.file import Weights
from resnext.weights.own_file import save_weights
from resnext.weights.source import open_weights

CLASSIFIER = TINY_DETECTOR.backbone.replace(num_classes=5)
FAMILIES = ("retinanet", "faster_rcnn", "faster_rcnn_c4")


def detector(family: str, *, frozen_norm: bool = False) -> DetectorConfig:
    config = TINY_DETECTOR.replace(frozen_norm=frozen_norm)
    if family == "faster_rcnn_c4":
        config = config.replace(pyramid_channels=256)
    return config.replace(family=family)


def weights_of(config: ModelConfig, folder: Path, classes: tuple[str, ...] = ()) -> Weights:
    torch.manual_seed(7)
    path = folder / "weights.safetensors"
    task = "detection" if isinstance(config, DetectorConfig) else "classification"
    save_weights(path, create_model(config), config, ModelCard(classes=classes, task=task))
    return open_weights(path)


def in_body(name: str) -> str:
    """Return the name of a weight in a classifier."""
    return name.removeprefix("backbone.body.").removeprefix("roi_heads.box_head.")


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("frozen_norm", [False, True])
def test_a_backbone_takes_all_layers_of_a_classifier(
    family: str, frozen_norm: bool, tmp_path: Path
) -> None:
    weights = weights_of(CLASSIFIER, tmp_path)
    config = detector(family, frozen_norm=frozen_norm)
    check_pretrained(config, weights)
    model = create_model(config)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    load_pretrained(model, weights, NAMES)
    taken = set()
    for name, tensor in model.state_dict().items():
        wanted = weights.state.get(in_body(name), before[name])
        assert torch.equal(tensor, wanted), name
        taken.add(in_body(name))
    missing = {name for name in weights.state if not name.startswith("fc.")} - taken
    assert all(name.endswith("num_batches_tracked") for name in missing)
    assert bool(missing) == frozen_norm
    assert not any(in_body(name) in weights.state for name in head_keys(model))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("classes", [NAMES, ("other", "names")])
def test_a_detector_with_the_same_head_gives_all_but_the_rows_of_other_classes(
    family: str, classes: tuple[str, ...], tmp_path: Path
) -> None:
    weights = weights_of(detector(family), tmp_path, NAMES)
    config = detector(family, frozen_norm=True)
    weights = to_start_from(weights, config)
    check_pretrained(config, weights)
    model = create_model(config)
    load_pretrained(model, weights, classes)
    differing = {
        name.rpartition(".")[0].rpartition(".")[2]
        for name, tensor in model.state_dict().items()
        if not torch.equal(tensor, weights.state[name])
    }
    rows = {"cls_logits"} if family == "retinanet" else {"cls_score", "bbox_pred"}
    assert differing == (set() if classes == NAMES else rows)


def test_other_networks_give_their_backbone_only(tmp_path: Path) -> None:
    weights = weights_of(detector("faster_rcnn_c4", frozen_norm=True), tmp_path, NAMES)
    backbone = only_backbone(weights)
    wanted = {name for name in create_model(CLASSIFIER).state_dict() if not name.startswith("fc.")}
    assert backbone.state.keys() == wanted
    assert to_start_from(weights, detector("retinanet")).state.keys() == wanted
    assert to_start_from(weights).state.keys() == wanted
    segmenter = config_from("fcn_resnet18")
    found = to_start_from(weights_of(segmenter, tmp_path), detector("retinanet"))
    assert getattr(found.config, "output_stride", 0) is None


def test_a_classifier_takes_the_backbone_of_a_segmenter(tmp_path: Path) -> None:
    segmenter = config_from("fcn_resnet18")
    weights = weights_of(segmenter, tmp_path)
    assert to_start_from(weights, segmenter) is weights
    found = to_start_from(weights, config_from("resnet18"))
    assert found.config == config_from("resnet18", num_classes=0)
    assert not any(name.startswith(("backbone.", "classifier.")) for name in found.state)


@pytest.mark.parametrize("family", FAMILIES)
def test_frozen_stages_do_not_learn_and_every_other_layer_has_a_rate(family: str) -> None:
    config = TrainConfig(
        model=detector(family), weights=Path("weights"), freeze_until=1, freeze_norm=True
    )
    model = create_model(config.model)
    freeze(model, config)
    optimizer = build_optimizer(model, OptimConfig(layer_decay=0.5, head_lr_factor=3.0))
    rates = {
        id(parameter): group["lr_scale"]
        for group in optimizer.param_groups
        for parameter in group["params"]
    }
    for name, parameter in model.named_parameters():
        part = in_body(name).partition(".")[0]
        if part in ("conv1", "bn1", "layer1") or not parameter.requires_grad:
            assert id(parameter) not in rates
        elif part in ("layer2", "layer3", "layer4"):
            assert rates[id(parameter)] == 0.5 ** (5 - int(part[-1])), name
        else:
            assert rates[id(parameter)] == 3.0, name


@pytest.mark.parametrize("family", FAMILIES)
def test_the_first_phase_only_trains_the_head_and_still_gives_losses(family: str) -> None:
    config = TrainConfig(model=detector(family))
    model = create_model(config.model)
    set_train_mode(model, config, head_only=True)
    assert model.training
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    assert norms
    assert not any(norm.training for norm in norms)


def test_a_detector_is_prepared_for_batches_that_are_resized() -> None:
    model = create_model(TINY_DETECTOR)
    mean, std = (0.1, 0.2, 0.3), (0.4, 0.5, 0.6)
    info = DataInfo("set", NAMES, 3, 48, mean, std, "boxes")
    prepare_detector(model, info, Runtime(torch.device("cpu"), torch.bfloat16))
    transform = model.transform
    assert (tuple(transform.image_mean), tuple(transform.image_std)) == (mean, std)  # type: ignore[arg-type, union-attr]
    image = torch.rand(3, 32, 40)
    seen: list[torch.Size] = []
    model.backbone.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].shape))  # type: ignore[union-attr]
    target = {"boxes": torch.tensor([[2.0, 2, 20, 20]]), "labels": torch.tensor([1])}
    with torch.autocast("cpu", torch.bfloat16):
        losses = model.train()([image], [target])
        assert seen == [(1, 3, 32, 64)]  # padded, not resized to 48
        (found,) = model.eval()([image])
    assert all(loss.dtype == torch.float32 for loss in losses.values())
    assert found["boxes"].dtype == torch.float32
