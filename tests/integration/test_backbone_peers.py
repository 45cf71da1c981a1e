"""Dilated and published networks compute in other libraries what they compute here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hub_networks import ODD, random_network
from tiny_networks import tiny
from torch import nn

import resnext
from resnext.export.export import SUFFIX, export_model
from resnext.export.options import ExportOptions
from resnext.hub.published import open_source
from resnext.hub.save import save_pretrained
from resnext.hub.usage import usage_of
from resnext.model.backbone import Backbone
from resnext.model.config import ResNeXtConfig
from resnext.model.create import create_model
from resnext.model.network import ResNeXt
from resnext.runtimes.spec import Format
from resnext.weights.timm_format import to_timm, why_not_timm

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # of the libraries
STRIDES = [8, 16, 32]


@pytest.fixture
def published(tmp_path: Path, request: pytest.FixtureRequest) -> tuple[ResNeXt, Path]:
    """A network of an output stride, and the folder that it was published in."""
    network = random_network(ODD.replace(output_stride=request.param))
    assert isinstance(network.module, ResNeXt)
    return network.module, save_pretrained(network, tmp_path / "out")


def close(got: Any, expected: list[torch.Tensor]) -> None:
    assert len(got) == len(expected)
    for ours, theirs in zip(expected, got, strict=True):
        assert ours.std() > 0
        torch.testing.assert_close(theirs, ours, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("published", STRIDES, indirect=True)
@torch.no_grad()
def test_timm_gives_the_maps_of_a_published_network(published: tuple[ResNeXt, Path]) -> None:
    timm = pytest.importorskip("timm")
    ours, folder = published
    x = torch.randn(1, 3, 64, 64)
    theirs = timm.create_model(f"local-dir:{folder}", pretrained=True, features_only=True).eval()
    close(theirs(x), Backbone(ours)(x))
    assert theirs.feature_info.reduction() == ours.feature_info.reduction()
    whole = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
    close([whole(x)], [ours(x)])


@pytest.mark.parametrize("published", [32], indirect=True)
@pytest.mark.parametrize("output_stride", STRIDES)
@torch.no_grad()
def test_segmentation_models_read_a_published_network(
    published: tuple[ResNeXt, Path], output_stride: int
) -> None:
    smp = pytest.importorskip("segmentation_models_pytorch")
    folder, x = published[1], torch.randn(1, 3, 64, 64)
    encoder = smp.encoders.get_encoder(
        f"tu-local-dir:{folder}", weights=True, output_stride=output_stride
    ).eval()
    image, *maps = encoder(x)
    assert torch.equal(image, x)
    close(maps, resnext.load(folder, out_indices=5, output_stride=output_stride)(x))


@pytest.mark.parametrize("published", [32], indirect=True)
@torch.no_grad()
def test_transformers_reads_a_published_network(published: tuple[ResNeXt, Path]) -> None:
    transformers = pytest.importorskip("transformers")
    ours, folder = published
    x = torch.randn(1, 3, 64, 64)
    config = transformers.TimmBackboneConfig(backbone=f"local-dir:{folder}", out_indices=(2, 4))
    theirs = transformers.TimmBackbone(config).eval()
    theirs._backbone.load_state_dict(resnext.load(folder, out_indices=5).module.state_dict())
    close(theirs(x).feature_maps, Backbone(ours, (2, 4))(x))


@pytest.mark.parametrize("published", [8], indirect=True)
def test_the_folder_says_its_output_stride(published: tuple[ResNeXt, Path]) -> None:
    described = json.loads((published[1] / "config.json").read_text())
    assert described["model_args"]["output_stride"] == 8
    assert described["resnext"]["output_stride"] == 8


@pytest.mark.parametrize("output_stride", [4, 8, 16])
@torch.no_grad()
def test_the_example_for_torchvision_dilates(
    output_stride: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = ResNeXtConfig(num_classes=7, output_stride=output_stride)
    network = random_network(config)
    monkeypatch.chdir(tmp_path)
    save_pretrained(network, "out")
    example = usage_of(open_source(network), "out", is_repository=False).torch
    if output_stride == 4:  # timm, whose format the example follows, has no such network
        assert example == ""
        assert "output stride is 4" in why_not_timm(config)
        return
    found: dict[str, Any] = {}
    exec(example, found)
    x = torch.randn(1, 3, 64, 64)
    assert torch.equal(found["model"](x), network(x))


@pytest.mark.parametrize("to", ["onnx", "openvino", "pt2", "torchscript"])
def test_an_exported_file_is_dilated(to: Format, tmp_path: Path) -> None:
    config: dict[str, Any] = {"blocks_per_stage": (1, 2, 1), "stage_widths": (16, 24, 32)}
    network, path = tiny(output_stride=1, **config), tmp_path / f"dilated{SUFFIX[to]}"
    export_model(network, path, ExportOptions(to=to))  # which compares it with PyTorch
    opened = resnext.load(path)
    assert opened.config == network.config
    assert network.config != network.config.replace(output_stride=4)


def test_timm_dilates_basic_blocks_and_torchvision_does_not() -> None:
    basic = ResNeXtConfig(block="basic", cardinality=1, bottleneck_width=64, output_stride=8)
    found = to_timm(basic)
    assert found is not None
    assert found["model_args"]["output_stride"] == 8
    published = open_source(create_model(basic))
    assert usage_of(published, "out", is_repository=False).torch == ""


@pytest.mark.parametrize("output_stride", [8, 32])
def test_guided_backpropagation_is_that_of_torchvisions_network(output_stride: int) -> None:
    attr = pytest.importorskip("captum.attr")
    models = pytest.importorskip("torchvision.models")
    torch.manual_seed(0)
    dilated = [False, output_stride == 8, output_stride == 8]
    theirs: nn.Module = models.resnext50_32x4d(
        num_classes=7, replace_stride_with_dilation=dilated
    ).eval()
    ours = create_model("resnext50_32x4d", num_classes=7, output_stride=output_stride).eval()
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(1, 3, 64, 64)
    for method in ("GuidedBackprop", "Deconvolution", "Saliency"):
        saliency = [getattr(attr, method)(m).attribute(x.clone(), target=3) for m in (ours, theirs)]
        assert saliency[0].abs().sum() > 0
        # torchvision runs one ReLU module three times a block; its hooks see each call
        scale = saliency[1].abs().max().item()
        torch.testing.assert_close(saliency[0], saliency[1], rtol=0, atol=1e-5 * scale)
