"""Detectors compute in OpenVINO what they compute in PyTorch, also where float32 is too coarse."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from random_detectors import found_by, photos, share_unlike, trained
from small_detector import SMALL, WIDE_GROUPS
from torchvision.models.detection.transform import GeneralizedRCNNTransform

from resnext.errors import CheckpointError, ConfigError
from resnext.export.export import export_model
from resnext.export.options import ExportOptions
from resnext.inference.parity import ObjectParity, object_parity
from resnext.model.trained import TrainedNetwork
from resnext.runtimes.exported import Exported
from resnext.runtimes.open import open_exported
from resnext.runtimes.openvino_check import check_graph
from resnext.runtimes.openvino_sides import resized_sides

pytest.importorskip("openvino")
pytestmark = pytest.mark.usefixtures("remembered_traces")
Made = Callable[[str], tuple[TrainedNetwork, Exported, ObjectParity]]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Return an exported network by family; the traces are those of its ONNX file."""
    made: dict[str, tuple[TrainedNetwork, Exported, ObjectParity]] = {}

    def export(family: str) -> tuple[TrainedNetwork, Exported, ObjectParity]:
        if family not in made:
            network = trained(family, backbone=WIDE_GROUPS)
            path = tmp_path_factory.mktemp(family) / "net.xml"
            report = export_model(network, path, ExportOptions(to="openvino"))
            assert isinstance(report.parity, ObjectParity)
            made[family] = network, open_exported(path), report.parity
        return made[family]

    return export


@pytest.mark.slow
@pytest.mark.parametrize("family", ["retinanet", "mask_rcnn"])
def test_a_file_finds_what_pytorch_finds(exported: Made, family: str) -> None:
    network, file, parity = exported(family)
    assert parity.num_objects > 100
    whole = photos()[0]
    for pixels in (*photos(), whole[:98, :98], whole[:49, :98]):  # 98 * (64 / 98) < 64
        wanted = found_by(network, pixels)
        rows = file.run(np.ascontiguousarray(pixels[None]))[0]
        rows = rows[rows[:, 4] > 0]
        assert len(rows) == len(wanted["boxes"]) > 5
        pair = np.column_stack([wanted["boxes"], wanted["scores"], wanted["labels"] - 1])
        found = object_parity([(pair, rows[:, :6])], "")
        assert found.top1_agreement == 100
        assert found.largest_distance_px <= 0.01
        assert found.largest_difference <= 1e-4


@pytest.mark.slow
def test_images_of_one_size_go_through_together(exported: Made) -> None:
    _, file, _ = exported("retinanet")
    first = photos()[0]
    both = np.stack([first, first[::-1]])
    rows = file.run(both)
    for number in range(2):
        alone = file.run(both[number : number + 1])[0]
        np.testing.assert_allclose(rows[number], alone, rtol=0, atol=1e-2)


@pytest.mark.slow
def test_masks_of_a_file_are_those_of_pytorch(exported: Made) -> None:
    network, file, _ = exported("mask_rcnn")
    assert share_unlike(network, file) <= 0.01


@pytest.mark.slow
def test_a_detector_runs_in_fp32_only(exported: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    _, file, _ = exported("retinanet")
    monkeypatch.setattr("resnext.runtimes.openvino_runtime.has_bf16", lambda _: True)
    with pytest.raises(ConfigError, match=r"net\.xml: holds a detector, which openvino computes"):
        open_exported(file.path, precision="bf16")


@pytest.mark.slow
def test_only_a_detector_may_have_its_layers_and_two_inputs(exported: Made) -> None:
    _, file, _ = exported("retinanet")
    content, num = file.path.read_bytes(), file.path.with_suffix(".bin").stat().st_size
    check_graph(file.path, content, num, file.config)
    with pytest.raises(CheckpointError, match=r"net\.xml: refused: it has 2 inputs"):
        check_graph(file.path, content, num, SMALL.backbone)
    other = content.replace(b'type="TopK"', b'type="Loop"', 1)
    with pytest.raises(CheckpointError, match="a layer 'Loop'"):
        check_graph(file.path, other, num, file.config)


@pytest.mark.parametrize(("short", "long"), [(800, 1333), (64, 96), (320, 533)])
def test_sides_are_those_of_torchvision(short: int, long: int) -> None:
    config = SMALL.replace(min_size_px=short, max_size_px=long)
    transform = GeneralizedRCNNTransform(short, long, [0.0], [1.0])
    draw, num_inexact = np.random.default_rng(0), 0
    sides = [(97, 97), (49, 98), (77, 77), *draw.integers(20, 300, (40, 2)).tolist()]
    for height, width in sides:
        resized, _ = transform.resize(torch.zeros(1, height, width))
        assert resized_sides(config, height, width).tolist() == list(resized.shape[1:])
        exact = min(height * short // min(height, width), height * long // max(height, width))
        num_inexact += exact != resized.shape[1]
    assert num_inexact >= 1  # float64 is part of the definition
