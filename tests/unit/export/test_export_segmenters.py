"""Networks that give every pixel a class compute in every runtime what they compute in PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_networks import draw_statistics

from resnext.errors import ConfigError
from resnext.export.export import SUFFIX, export_model
from resnext.export.options import ExportOptions
from resnext.inference.parity import pixel_parity
from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig, SegmenterConfig
from resnext.model.create import create_model
from resnext.model.trained import TrainedNetwork
from resnext.runtimes.open import open_exported

CARD = ModelCard(
    image_size_px=64,
    resize_px=None,
    task="segmentation",
    classes=("road", "sky", "car", "tree", "other"),
    mean=(0.4, 0.5, 0.6),
    std=(0.2, 0.25, 0.3),
)


def trained(family: str) -> TrainedNetwork:
    torch.manual_seed(0)
    backbone = ResNeXtConfig(
        blocks_per_stage=(1, 1, 1, 1),
        stage_widths=(8, 16, 24, 32),
        stem_width=8,
        cardinality=2,
        bottleneck_width=2 if family == "fcn" else 10,  # narrow groups are merged for ONNX only
        num_classes=0,
        output_stride=8 if family in ("fcn", "deeplabv3") else None,
    )
    config = SegmenterConfig(family=family, backbone=backbone, num_classes=5, aux_head=True)
    module = create_model(config).eval()
    draw_statistics(module)
    return TrainedNetwork(module, config, CARD)


def expected(network: TrainedNetwork, pixels: np.ndarray[Any, Any]) -> torch.Tensor:
    scale = torch.tensor(CARD.std).view(1, 3, 1, 1)
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255
    with torch.no_grad():
        return network((images - torch.tensor(CARD.mean).view(1, 3, 1, 1)) / scale)


@pytest.mark.slow
@pytest.mark.usefixtures("remembered_traces")
@pytest.mark.parametrize("family", ["fcn", "deeplabv3", "unet", "fpn"])
@pytest.mark.parametrize("to", ["onnx", "openvino", "pt2"])
def test_a_file_takes_images_of_any_size(tmp_path: Path, family: str, to: Any) -> None:
    network = trained(family)
    path = tmp_path / f"net{SUFFIX[to]}"
    report = export_model(network, path, ExportOptions(to=to))
    assert report.spec.dynamic_size
    assert report.parity.top1_agreement > 99.9
    assert "of the pixels" in str(report.parity)
    exported = open_exported(path)
    assert exported.classes == CARD.classes
    for size in ((1, 64, 96), (2, 45, 70), (1, 33, 64)):
        draw = np.random.default_rng(0)
        pixels = draw.integers(0, 256, (*size, 3), dtype=np.uint8)
        found, wanted = exported.run(pixels), expected(network, pixels)
        limit = 1e-4 * float(wanted.abs().max())
        assert found.shape == wanted.shape
        assert np.abs(found - wanted.numpy()).max() < limit


@pytest.mark.slow
def test_one_size_is_exported_if_it_is_asked_for(tmp_path: Path) -> None:
    options = ExportOptions(size_px=48, input="normalised")
    export_model(trained("fcn"), tmp_path / "net.onnx", options)
    exported = open_exported(tmp_path / "net.onnx")
    assert exported.wanted == "float32 batch x 3 x 48 x 48"
    assert exported.run(np.zeros((1, 3, 48, 48), np.float32)).shape == (1, 5, 48, 48)
    with pytest.raises(ConfigError, match="got float32 1x3x64x64"):
        exported.run(np.zeros((1, 3, 64, 64), np.float32))


def test_what_does_not_go_with_pixels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="use input='pixels', which takes any size"):
        export_model(trained("fcn"), tmp_path / "net.onnx", ExportOptions(input="image"))


def test_parity_counts_pixels_over_all_batches() -> None:
    wanted = np.zeros((1, 2, 2, 2), np.float32)
    wanted[:, 0] = 3.0
    found = wanted.copy()
    found[0, 1, 0, 0] = 4.0
    small = np.ones((1, 2, 1, 2), np.float32)
    parity = pixel_parity([(wanted, found), (small, small)], "made ones")
    assert (parity.num_images, parity.largest_difference, parity.largest_logit) == (2, 4.0, 3.0)
    assert parity.top1_agreement == pytest.approx(100 * 5 / 6)
    broken = pixel_parity([(small, np.full_like(small, np.nan)), (small, small)], "made ones")
    assert np.isnan(broken.largest_difference)


def test_only_formats_whose_files_can_be_checked_are_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="exported to onnx, openvino or pt2; use one"):
        export_model(trained("fcn"), tmp_path / "net.torchscript", ExportOptions(to="torchscript"))


@pytest.mark.slow
def test_a_program_says_which_images_are_too_small_for_it(tmp_path: Path) -> None:
    path = tmp_path / "net.pt2"
    export_model(trained("fcn"), path, ExportOptions(to="pt2"))
    message = r"takes no images of 1 x 4 x 64 x 3, since torch exported it for .*>= 9; give larger"
    with pytest.raises(ConfigError, match=message):
        open_exported(path).run(np.zeros((1, 4, 64, 3), np.uint8))


@pytest.mark.slow
def test_a_program_of_one_size_takes_only_that(tmp_path: Path) -> None:
    network, path = trained("fpn"), tmp_path / "net.pt2"
    report = export_model(network, path, ExportOptions(to="pt2", size_px=48))
    assert report.parity.top1_agreement > 99.9
    exported = open_exported(path)
    pixels = np.random.default_rng(1).integers(0, 256, (3, 48, 48, 3), dtype=np.uint8)
    found, wanted = exported.run(pixels), expected(network, pixels)
    assert np.abs(found - wanted.numpy()).max() < 1e-4 * float(wanted.abs().max())
    with pytest.raises(ConfigError, match="got uint8 1x64x64x3"):
        exported.run(np.zeros((1, 64, 64, 3), np.uint8))
