"""`resnext evaluate` of a network that finds objects."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from command import Command
from PIL import Image
from small_detector import save_detector

from resnext.cli.evaluate_objects import label_map
from resnext.errors import DataError
from resnext.inference.finder import Finder
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


def find_it(self: Finder, image: Image.Image) -> npt.NDArray[np.float64]:
    """Find the cat, which is the network's class 2, and a bee that the data have no class for."""
    del self, image
    return np.array([[10, 20, 40, 45, 0.9, 2], [10, 20, 40, 45, 0.95, 1]], dtype=np.float64)


def test_objects_are_measured_by_the_names_of_their_classes(
    command: Command, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "pets", "train", "valid")
    monkeypatch.setattr(Finder, "find", find_it)
    data, out = f"coco:{tmp_path / 'pets'}", tmp_path / "figures.json"
    found = command.json("evaluate", weights, "--data", data, "--out", out)
    assert (found["split"], found["num_images"], found["num_objects"]) == ("val", 1, 1)
    assert found["ap"] == pytest.approx(100)
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
    monkeypatch.setattr(Finder, "find", lambda *_: np.array([[60.0, 20, 80, 45, 0.9, 2]]))
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
    assert found["split"] == "train"
    assert 0 <= found["ap"] < 50


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--flip"], "--flip: no part of the evaluation of boxes"),
        (["--split", "test"], "has no split test; it has train"),
        (["--split", "all"], "name one of train, val and test"),
    ],
)
def test_flags_without_a_meaning_are_refused(
    command: Command, weights: Path, tmp_path: Path, flags: list[str], told: str
) -> None:
    write(tmp_path / "pets", "train")
    data = f"coco:{tmp_path / 'pets'}"
    assert told in command.refusal("evaluate", weights, "--data", data, *flags)


def test_an_image_of_another_size_ends_the_evaluation(
    command: Command, weights: Path, tmp_path: Path
) -> None:
    write(tmp_path / "pets", "train", size=(60, 90))
    data = f"coco:{tmp_path / 'pets'}"
    assert "is 60x90 and not as its annotations say 90x60" in command.refusal(
        "evaluate", weights, "--data", data
    )


def test_training_on_boxes_is_refused(command: Command, tmp_path: Path) -> None:
    write(tmp_path / "pets", "train")
    told = command.refusal(
        "train", "--data", f"coco:{tmp_path / 'pets'}", "--out", tmp_path / "run"
    )
    assert "training on boxes is not possible yet" in told


def test_classes_are_matched_by_name_or_by_number() -> None:
    outputs = ("ant", "bee", "cat")
    assert label_map(outputs, outputs, ("cat", "ant")) == {0: 1, 2: 0}
    assert label_map((), ("0", "1"), ("cat", "ant")) == {0: 0, 1: 1}
    with pytest.raises(DataError, match="does not know the class 'dog' of the data and 1 more"):
        label_map(outputs, outputs, ("dog", "elk", "ant"))
    with pytest.raises(DataError, match="has 3 classes without names and the data have 2"):
        label_map((), ("0", "1", "2"), ("cat", "ant"))


def test_a_classifier_is_not_measured_on_boxes(command: Command, tmp_path: Path) -> None:
    write(tmp_path / "pets", "train")
    config = ResNeXtConfig(
        blocks_per_stage=(1,), stage_widths=(16,), stem_width=8, cardinality=2, num_classes=2
    )
    save_weights(tmp_path / "c.safetensors", create_model(config), config, ModelCard())
    data = f"coco:{tmp_path / 'pets'}"
    told = command.refusal("evaluate", tmp_path / "c.safetensors", "--data", data)
    assert "is not a detector; name a detector" in told
