"""Int8 of a network for pixels: what is lost is measured in points of the mIoU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from mask_folders import tiny_segmenter, write_shapes

from resnext.data.config import DataConfig
from resnext.data.prepare.normalise import normalise
from resnext.data.sets.load import load_data
from resnext.errors import ConfigError, ExportError
from resnext.evaluation.run import measure
from resnext.evaluation.target import Protocol
from resnext.export.export import spec_of
from resnext.export.export_bf16 import export_bf16
from resnext.export.export_int8 import export_int8
from resnext.export.options import ExportOptions
from resnext.export.samples import data_samples, sample_batches
from resnext.model.card import ModelCard
from resnext.model.create import create_model
from resnext.model.trained import TrainedNetwork
from resnext.runs.runtime import Runtime
from resnext.runtimes.open import open_exported
from resnext.tasks.segmentation.loss import batch_loss

CPU = Runtime(torch.device("cpu"), torch.float32)


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> DataConfig:
    root = tmp_path_factory.mktemp("shapes") / "set"
    write_shapes(root, num=40)
    return DataConfig(name="masks", root=root, workers=0, val_fraction=0.25)


@pytest.fixture(scope="module")
def trained(shapes: DataConfig) -> TrainedNetwork:
    """Train a tiny network on shapes for a few seconds."""
    torch.manual_seed(0)
    loaded = load_data(shapes)
    info, reader = loaded.info, loaded.train.reader(3)
    card = ModelCard(
        classes=info.classes,
        task="segmentation",
        image_size_px=24,
        resize_px=None,
        mean=info.mean,
        std=info.std,
    )
    config = tiny_segmenter().replace(aux_head=False)
    module = create_model(config)
    optimizer = torch.optim.AdamW(module.parameters(), lr=0.01)
    for step in range(90):
        index = step % len(loaded.train)
        pixels_bchw = torch.from_numpy(np.array(reader.open(index))).permute(2, 0, 1)[None]
        masks_bhw = torch.from_numpy(reader.mask(index))[None]
        scores_bkhw = module(normalise(pixels_bchw, info.mean, info.std, torch.device("cpu")))
        optimizer.zero_grad()
        batch_loss(scores_bkhw, masks_bhw, "cross_entropy").backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return TrainedNetwork(module.eval(), config, card)


@pytest.mark.slow
@pytest.mark.parametrize("size_px", [None, 24])
def test_the_file_is_smaller_and_says_what_it_costs(
    shapes: DataConfig, trained: TrainedNetwork, tmp_path: Path, size_px: int | None
) -> None:
    path = tmp_path / "net.onnx"
    options = ExportOptions(size_px=size_px)
    report = export_int8(trained, path, options, shapes, num_calibration_images=20, max_loss=5)
    lower = report.quantised
    assert lower is not None
    assert lower["fp32_mean_iou"] > 45  # it has learnt something
    assert lower["loss"] == pytest.approx(lower["fp32_mean_iou"] - lower["mean_iou"])
    assert lower["num_bytes"] < lower["fp32_num_bytes"]
    assert lower["num_calibration_images"] == 20
    assert report.parity.top1_agreement > 95  # of the pixels
    assert report.parity.largest_difference > 0
    exported = open_exported(path)
    assert exported.card.metrics["mean_iou"] == lower["mean_iou"]
    assert "QuantizeLinear" in {node.op_type for node in onnx.load(path).graph.node}
    found = measure(path, Protocol(data=shapes), CPU).figures
    assert found["mean_iou"] == lower["mean_iou"]
    assert [file.name for file in tmp_path.iterdir()] == ["net.onnx"]


@pytest.mark.slow
def test_too_great_a_loss_is_refused_and_nothing_kept(
    shapes: DataConfig, trained: TrainedNetwork, tmp_path: Path
) -> None:
    path = tmp_path / "net.onnx"
    with pytest.raises(ExportError, match=r"int8 makes the mIoU of the .* more than -100"):
        export_int8(trained, path, ExportOptions(), shapes, num_calibration_images=4, max_loss=-100)
    assert not list(tmp_path.iterdir())


def test_data_without_masks_are_refused(trained: TrainedNetwork, tmp_path: Path) -> None:
    digits = DataConfig(name="digits", workers=0)
    with pytest.raises(ConfigError, match=r"learned segmentation.*'mask'; digits has 'class'"):
        export_int8(trained, tmp_path / "net.onnx", ExportOptions(), digits)
    assert not list(tmp_path.iterdir())


def test_images_for_calibration_keep_their_size(
    shapes: DataConfig, trained: TrainedNetwork
) -> None:
    source = data_samples(shapes, "train", trained, 12)
    batches = list(sample_batches(source, trained, spec_of(trained, ExportOptions())))
    assert {tuple(batch.shape) for batch in batches} == {(1, 24, 24, 3), (1, 24, 28, 3)}
    assert len(batches) == 12


def test_bf16_is_refused(shapes: DataConfig, trained: TrainedNetwork, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="bf16 only supports classifiers, but fcn gives every"):
        export_bf16(trained, tmp_path / "net.xml", ExportOptions(to="openvino"), shapes)
