"""Trained weights as a backbone, dilated or not; networks without a classifier."""

from pathlib import Path
from typing import Any, assert_type

import pytest
import torch
from random_networks import trained_like
from safetensors.torch import save_file
from tiny_networks import tiny
from torchvision import models

import resnext
from resnext.errors import CheckpointError, ConfigError
from resnext.export.export import export_model
from resnext.export.options import ExportOptions
from resnext.hub.published import open_source
from resnext.model.backbone import Backbone
from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig
from resnext.model.create import create_model
from resnext.model.network import ResNeXt
from resnext.model.trained import TrainedBackbone, TrainedNetwork
from resnext.weights.own_file import save_weights

NETWORK = ResNeXtConfig(
    stem_width=8, blocks_per_stage=(1, 1, 1), stage_widths=(16, 24, 32), cardinality=4
).replace(bottleneck_width=2, num_classes=5)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "network.safetensors"
    save_weights(path, trained_like(NETWORK).float(), NETWORK, ModelCard())
    return path


def test_a_file_opens_as_a_backbone_with_its_card(file: Path) -> None:
    network = assert_type(resnext.load(file), TrainedNetwork)
    trained = assert_type(resnext.load(file, out_indices=(1, -1)), TrainedBackbone)
    assert isinstance(trained, TrainedBackbone)
    assert isinstance(trained.module, Backbone)
    assert not trained.module.training
    assert trained.card == network.card
    assert trained.config == NETWORK.replace(num_classes=0)
    x = torch.randn(1, 3, 32, 32)
    assert isinstance(network.module, ResNeXt)
    expected = list(network.module.features(x, (1, 3)).values())
    assert all(torch.equal(a, b) for a, b in zip(trained(x), expected, strict=True))


def test_a_file_opens_dilated(file: Path) -> None:
    x = torch.randn(1, 3, 32, 32)
    dilated = resnext.load(file, output_stride=8)
    assert isinstance(dilated, TrainedNetwork)
    assert dilated.config == NETWORK.replace(output_stride=8)
    wanted = create_model(dilated.config).eval()
    wanted.load_state_dict(dilated.module.state_dict())
    assert torch.equal(dilated(x), wanted(x))
    maps = resnext.load(file, out_indices=(3,), output_stride=8)(x)
    assert torch.equal(maps[0], wanted.forward_features(x))
    assert maps[0].shape[2:] == (4, 4)


def test_a_dilated_network_is_remembered_by_its_file(tmp_path: Path) -> None:
    config = NETWORK.replace(output_stride=4)
    model, path = trained_like(config).float(), tmp_path / "dilated.safetensors"
    save_weights(path, model, config, ModelCard())
    network, x = resnext.load(path), torch.randn(1, 3, 32, 32)
    assert network.config == config
    assert torch.equal(network(x), model(x))
    assert resnext.load(path, output_stride=16).config == NETWORK


def test_a_network_without_classifier_opens_as_a_backbone_only(tmp_path: Path) -> None:
    config, path = NETWORK.replace(num_classes=0), tmp_path / "headless.safetensors"
    model = ResNeXt(config).eval()
    save_weights(path, model, config, ModelCard())
    with pytest.raises(CheckpointError, match=r"holds no classifier.* out_indices"):
        resnext.load(path)
    x = torch.randn(1, 3, 32, 32)
    (last,) = resnext.load(path, out_indices=1)(x)
    assert torch.equal(last, model.forward_features(x))
    with pytest.raises(CheckpointError, match="holds no classifier"):
        open_source(model)
    with pytest.raises(ConfigError, match="num_classes=0: the network has no classifier"):
        TrainedNetwork(model, config, ModelCard())


@pytest.mark.slow
def test_a_foreign_file_without_classifier_opens_as_a_backbone(tmp_path: Path) -> None:
    theirs: Any = models.resnet18().eval()
    state = {f"backbone.{k}": v for k, v in theirs.state_dict().items() if not k.startswith("fc.")}
    save_file(state, tmp_path / "pretext.safetensors")
    trained = resnext.load(tmp_path / "pretext.safetensors", out_indices=(4,))
    x = torch.randn(1, 3, 64, 64)
    theirs.avgpool = theirs.fc = torch.nn.Identity()
    assert torch.equal(trained(x)[0].flatten(1), theirs(x))


@pytest.mark.slow
def test_what_has_no_maps_is_told_so(tmp_path: Path) -> None:
    exported = tmp_path / "tiny.pt2"
    export_model(tiny(), exported, ExportOptions(to="pt2"))
    with pytest.raises(ConfigError, match="is an exported file; omit out_indices, output_st"):
        resnext.load(exported, out_indices=(1,), output_stride=2)
