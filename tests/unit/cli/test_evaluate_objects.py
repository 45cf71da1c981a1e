"""`resnext evaluate` of a network that finds objects."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from command import Command
from PIL import Image
from small_detector import save_detector
from torchvision.models.detection import RetinaNet

from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig
from resnext.model.create import create_model
from resnext.weights.own_file import save_weights

pytest.importorskip("faster_coco_eval")
CATEGORIES = [{"id": 5, "name": "cat"}, {"id": 9, "name": "ant"}]
BOX = [10, 20, 30, 25]


def write(root: Path, *splits: str, size: tuple[int, int] = (90, 60)) -> None:
    for split in splits:
        (root / split).mkdir(parents=True)
        Image.new("RGB", size).save(root / split / "a.png")
        values = {
            "images": [{"id": 1, "file_name": "a.png", "width": 90, "height": 60}],
            "annotations": [{"image_id": 1, "category_id": 5, "bbox": BOX}],
            "categories": CATEGORIES,
        }
        (root / split / "_annotations.coco.json").write_text(json.dumps(values), encoding="utf-8")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    save_detector(tmp_path / "net.safetensors")
    return tmp_path / "net.safetensors"


def finding(monkeypatch: pytest.MonkeyPatch, *rows: list[float]) -> None:
    """Let the network find these objects in every image: box, score, number of its class."""
    found = torch.tensor(rows)

    def forward(self: RetinaNet, images: list[torch.Tensor], targets: object = None) -> object:
        del images, targets
        if self.training:
            return {"classification": torch.tensor(0.25), "bbox_regression": torch.tensor(0.5)}
        labels = found[:, 5].long() + 1
        return [{"boxes": found[:, :4], "scores": found[:, 4], "labels": labels}]

    monkeypatch.setattr(RetinaNet, "forward", forward)


def test_objects_are_measured_by_the_names_of_their_classes(
    command: Command, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "pets", "train", "valid")
    # the cat, which is the network's class 2, and a bee that the data have no class for
    finding(monkeypatch, [10, 20, 40, 45, 0.9, 2], [10, 20, 40, 45, 0.95, 1])
    data, out = f"coco:{tmp_path / 'pets'}", tmp_path / "figures.json"
    found = command.json("evaluate", weights, "--data", data, "--out", out)
    assert (found["data"]["split"], found["num_images"], found["num_objects"]) == ("val", 1, 1)
    assert found["ap"] == pytest.approx(100)
    assert found["loss"] == pytest.approx(0.75)
    assert found["per_class"] == {
        "cat": {"ap": pytest.approx(100), "ap50": pytest.approx(100)},
        "ant": {"ap": None, "ap50": None},
    }
    assert json.loads(out.read_text(encoding="utf-8")) == found
    assert "AP50" in command.prints("evaluate", weights, "--data", data, "--split", "train")


def test_the_report_draws_the_images_with_errors(
    command: Command, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "<b>pets", "train")
    finding(monkeypatch, [60.0, 20, 80, 45, 0.9, 2])
    data, report = f"coco:{tmp_path / '<b>pets'}", tmp_path / "report.html"
    command.prints("evaluate", weights, "--data", data, "--report", report, "--quiet")
    page = report.read_text(encoding="utf-8")
    assert "a.png: 1 nothing there, 1 missed" in page
    assert "data:image/jpeg;base64," in page
    assert "&lt;b&gt;pets" in page
    assert "<b>pets" not in page


def test_the_network_itself_is_measured(command: Command, weights: Path, tmp_path: Path) -> None:
    write(tmp_path / "pets", "train")
    found = command.json("evaluate", weights, "--data", f"coco:{tmp_path / 'pets'}")
    assert found["data"]["split"] == "all"
    assert 0 <= found["ap"] < 50


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--flip"], "leave out --size, --resize, --ten-crop and --flip"),
        (["--split", "test"], "has no test split; it has train, val"),
    ],
)
def test_flags_without_a_meaning_are_refused(
    command: Command, weights: Path, tmp_path: Path, flags: list[str], told: str
) -> None:
    write(tmp_path / "pets", "train", "valid")
    data = f"coco:{tmp_path / 'pets'}"
    assert told in command.refusal("evaluate", weights, "--data", data, *flags)


def test_an_image_of_another_size_is_bad(command: Command, weights: Path, tmp_path: Path) -> None:
    write(tmp_path / "pets", "train", size=(60, 90))
    data = f"coco:{tmp_path / 'pets'}"
    status, _, told = command("evaluate", weights, "--data", data)
    assert status == 2  # no image is left
    assert "there are no images to evaluate" in told


def test_classes_are_matched_by_name(command: Command, weights: Path, tmp_path: Path) -> None:
    write(tmp_path / "pets", "train")
    path = tmp_path / "pets" / "train" / "_annotations.coco.json"
    text = path.read_text(encoding="utf-8").replace('"ant"', '"elk"')
    path.write_text(text, encoding="utf-8")
    told = command.refusal("evaluate", weights, "--data", f"coco:{tmp_path / 'pets'}")
    assert "was not trained on 1 of the 2 classes of the data set: 'elk'" in told


def test_a_classifier_is_not_measured_on_boxes(command: Command, tmp_path: Path) -> None:
    write(tmp_path / "pets", "train")
    config = ResNeXtConfig(
        blocks_per_stage=(1,), stage_widths=(16,), stem_width=8, cardinality=2, num_classes=2
    )
    card = ModelCard(classes=("ant", "cat"))
    save_weights(tmp_path / "c.safetensors", create_model(config), config, card)
    data = f"coco:{tmp_path / 'pets'}"
    told = command.refusal("evaluate", tmp_path / "c.safetensors", "--data", data)
    assert "the network has learned classification" in told
