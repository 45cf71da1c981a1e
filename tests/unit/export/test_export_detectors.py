"""Detectors compute in ONNX Runtime what they compute in PyTorch, on photos of any size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from random_detectors import FAMILIES, found_by, photos, share_unlike, trained
from small_detector import CLASSES, SMALL, WIDE_GROUPS

from resnext.errors import CheckpointError, ConfigError, ExportError
from resnext.export import parity
from resnext.export.detectors.trace import build_detector_graph
from resnext.export.export import export_model
from resnext.export.options import ExportOptions, ExportReport
from resnext.inference.parity import ObjectParity, object_parity
from resnext.inference.predictor import Predictor
from resnext.model.config import DetectorConfig
from resnext.model.create import create_model
from resnext.model.trained import TrainedNetwork
from resnext.runtimes.exported import Exported
from resnext.runtimes.module import ExportedModule
from resnext.runtimes.open import open_exported
from resnext.tasks.detection.answer import BoxAnswer
from resnext.tasks.detection.network import found_masks

pytestmark = pytest.mark.usefixtures("remembered_traces")


@pytest.mark.parametrize(
    ("family", "version"),
    [
        ("retinanet", 1),
        ("retinanet", 2),
        *(
            pytest.param(*given, marks=pytest.mark.slow)
            for given in (("faster_rcnn_c4", 1), ("faster_rcnn", 2), ("mask_rcnn", 1))
        ),
    ],
)
def test_fixed_rows_are_what_torchvision_finds(family: str, version: int) -> None:
    changes: dict[str, Any] = {"pyramid_channels": 64} if version == 2 else {}
    network = trained(family, version=version, **changes)
    module: Any = network.module
    assert isinstance(network.config, DetectorConfig)
    graph = build_detector_graph(module, network.config)
    for pixels in photos()[:3]:
        wanted = found_by(network, pixels)
        image = torch.from_numpy(pixels.copy()).permute(2, 0, 1).float() / 255
        images, _ = module.transform([image])
        ((height, width),) = images.image_sizes
        limits = torch.tensor([width, height, width, height]).float()
        given = torch.tensor([pixels.shape[1], pixels.shape[0]] * 2).float()
        with torch.no_grad():
            rows = graph(images.tensors, limits, given / limits)[0]
        rows = rows[rows[:, 4] > 0]
        assert len(rows) > 5
        torch.testing.assert_close(rows[:, :4], wanted["boxes"], rtol=0, atol=1e-4)
        torch.testing.assert_close(rows[:, 4], wanted["scores"], rtol=0, atol=1e-6)
        assert torch.equal(rows[:, 5].long() + 1, wanted["labels"])


def test_the_numbers_of_rows_are_torchvisions() -> None:
    for family in FAMILIES:
        config = SMALL.replace(family=family)
        module: Any = create_model(config)
        heads = module if family == "retinanet" else module.roi_heads
        assert heads.detections_per_img == config.num_rows


@pytest.fixture(scope="module")
def exported(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], tuple[TrainedNetwork, Exported, ExportReport]]:
    """Return an exported network by family; each is traced once, which takes half a minute.

    The groups of faster_rcnn_c4 are narrow, so that ONNX files have merged ones.
    """
    made: dict[str, tuple[TrainedNetwork, Exported, ExportReport]] = {}

    def export(family: str) -> tuple[TrainedNetwork, Exported, ExportReport]:
        if family not in made:
            narrow = family == "faster_rcnn_c4"
            network = trained(family) if narrow else trained(family, backbone=WIDE_GROUPS)
            path = tmp_path_factory.mktemp(family) / "net.onnx"
            report = export_model(network, path)
            made[family] = network, open_exported(path), report
        return made[family]

    return export


@pytest.mark.slow
@pytest.mark.parametrize("family", ["retinanet", "mask_rcnn", "faster_rcnn_c4"])
def test_a_file_finds_what_pytorch_finds(exported: Any, family: str) -> None:
    network, file, report = exported(family)
    assert isinstance(report.parity, ObjectParity)
    assert report.parity.num_objects > 100
    assert report.spec.dynamic_size
    assert file.classes == CLASSES
    for pixels in photos():
        wanted = found_by(network, pixels)
        rows = file.run(pixels[None].copy())[0]
        rows = rows[rows[:, 4] > 0]
        assert len(rows) == len(wanted["boxes"]) > 5
        pair = np.column_stack([wanted["boxes"], wanted["scores"], wanted["labels"] - 1])
        found = object_parity([(pair, rows[:, :6])], "")
        assert found.top1_agreement == 100
        assert found.largest_distance_px <= 0.01
        assert found.largest_difference <= 1e-4


@pytest.mark.slow
def test_images_of_one_size_go_through_together(exported: Any) -> None:
    _, file, _ = exported("retinanet")
    first = photos()[0]
    both = np.stack([first, first[::-1]])
    rows = file.run(both)
    for number in range(2):
        alone = file.run(both[number : number + 1])[0]
        np.testing.assert_allclose(rows[number], alone, rtol=0, atol=1e-2)


@pytest.mark.slow
def test_masks_of_a_file_are_those_of_pytorch(exported: Any) -> None:
    network, file, _ = exported("mask_rcnn")
    assert share_unlike(network, file) <= 0.01  # close to 0.5, either side


@pytest.mark.slow
def test_evaluation_measures_the_masks_that_a_file_answers_with(exported: Any) -> None:
    _, file, _ = exported("mask_rcnn")
    pixels = photos()[1]
    image_chw = torch.from_numpy(pixels.copy()).permute(2, 0, 1).float().div(255)
    (measured,) = ExportedModule(file)([image_chw])
    masks = found_masks(measured, (pixels.shape[0], pixels.shape[1]))
    (answer,) = Predictor(file).answers_to([pixels], 100)
    assert masks is not None
    assert isinstance(answer, BoxAnswer)
    for mask, one in zip(masks, answer.objects, strict=True):
        assert one.mask is not None
        assert np.array_equal(mask.on_image(), one.mask.on_image())


@pytest.mark.slow
def test_only_onnx_runtime_opens_the_onnx_file_of_a_detector(exported: Any) -> None:
    _, file, _ = exported("retinanet")
    with pytest.raises(ConfigError, match=r"onnxruntime computes in fp32.*--to openvino"):
        open_exported(file.path, runtime="openvino")


@pytest.mark.slow
def test_a_file_that_finds_something_else_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parity, "BOX_TOLERANCE_PX", 0.0)
    with pytest.raises(ExportError, match="was not kept: it differs from PyTorch on 8 images"):
        export_model(trained("retinanet", backbone=WIDE_GROUPS), tmp_path / "net.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (ExportOptions(to="pt2"), "detectors are exported to onnx or openvino"),
        (ExportOptions(to="torchscript"), "detectors are exported to onnx or openvino"),
        (ExportOptions(input="image"), "takes uint8 pixels of any size"),
        (ExportOptions(input="normalised"), "takes uint8 pixels of any size"),
        (ExportOptions(size_px=64), "a short side of 64 pixels"),
    ],
)
def test_what_detectors_do_not_support_is_refused(
    tmp_path: Path, options: ExportOptions, told: str
) -> None:
    suffix = {"onnx": ".onnx", "openvino": ".xml", "pt2": ".pt2", "torchscript": ".torchscript"}
    with pytest.raises(ConfigError, match=told):
        export_model(trained("retinanet"), tmp_path / f"net{suffix[options.to]}", options)
    assert not list(tmp_path.iterdir())


def test_a_file_of_another_shape_is_refused() -> None:
    config = SMALL.replace(family="mask_rcnn")
    from made_detector import detector_model

    file = detector_model("retinanet").exported
    edited = Exported(file.path, config, file.card, file.spec, file.infer)
    with pytest.raises(CheckpointError, match=r"computes logits \(1, 300, 6\) instead of"):
        edited.run(np.zeros((1, 60, 80, 3), np.uint8))


def test_parity_pairs_objects_and_counts_those_alone() -> None:
    wanted = np.array([[0, 0, 10, 10, 0.9, 1], [20, 20, 30, 30, 0.8, 0], [5, 5, 9, 9, 0.7, 2.0]])
    found = wanted[[1, 0, 2]].copy()
    found[0, 0] += 0.25
    found[1, 4] -= 0.125
    found[2, 5] = 0  # another class: neither has a counterpart
    seen = object_parity([(wanted, found)], "two")
    assert (seen.num_images, seen.num_objects) == (1, 3)
    assert seen.largest_distance_px == 0.25
    assert seen.largest_difference == pytest.approx(0.125)
    assert seen.top1_agreement == pytest.approx(100 / 3)
