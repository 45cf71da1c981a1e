"""`resnext predict` of a network that finds objects: a table, JSON, CSV, pictures."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
import torch
from command import Command
from PIL import Image
from small_detector import CLASSES, SMALL, save_detector

import resnext
from resnext.model.card import ModelCard
from resnext.model.create import create_model
from resnext.weights.own_file import save_weights


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    save_detector(tmp_path / "net.safetensors")
    return tmp_path / "net.safetensors"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    noise = torch.randint(0, 256, (60, 90, 3), generator=torch.Generator().manual_seed(0))
    Image.fromarray(noise.byte().numpy()).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_the_objects_are_those_of_the_network(command: Command, weights: Path, photo: Path) -> None:
    (found,) = command.json("predict", weights, photo, "--min-score", "0.05", "--top", "1000")
    pixels = torch.frombuffer(bytearray(Image.open(photo).tobytes()), dtype=torch.uint8)
    with torch.no_grad():
        (wanted,) = resnext.load(weights).module([pixels.view(60, 90, 3).permute(2, 0, 1) / 255])
    is_object = wanted["labels"] > 0  # 0 is the background
    assert is_object.sum() > 10
    labels = [o["label"] for o in found["objects"]]
    assert labels == (wanted["labels"][is_object] - 1).tolist()
    assert [o["class"] for o in found["objects"]] == [CLASSES[label] for label in labels]
    boxes = torch.tensor([o["box"] for o in found["objects"]])
    torch.testing.assert_close(boxes, wanted["boxes"][is_object], rtol=0, atol=1e-3)
    scores = torch.tensor([o["score"] for o in found["objects"]])
    torch.testing.assert_close(scores, wanted["scores"][is_object], rtol=0, atol=1e-6)


def test_only_the_surest_objects_are_shown(command: Command, weights: Path, photo: Path) -> None:
    (many,) = command.json("predict", weights, photo)
    assert len(many["objects"]) == 100
    assert all(found["score"] >= 0.5 for found in many["objects"])
    (sure,) = command.json("predict", weights, photo, "--min-score", "0.65")
    assert sure["objects"] == [found for found in many["objects"] if found["score"] >= 0.65]
    assert 0 < len(sure["objects"]) < 100
    (two,) = command.json("predict", weights, photo, "--top", "2")
    assert two["objects"] == many["objects"][:2]


def test_csv_has_a_line_for_each_object_and_one_for_an_image_without(
    command: Command, weights: Path, photo: Path
) -> None:
    (found,) = command.json("predict", weights, photo)
    rows = list(csv.DictReader(io.StringIO(command.prints("predict", weights, photo, "--csv"))))
    assert [row["class"] for row in rows] == [o["class"] for o in found["objects"]]
    assert float(rows[0]["left"]) == found["objects"][0]["box"][0]
    (row,) = csv.DictReader(
        io.StringIO(command.prints("predict", weights, photo, "--csv", "--min-score", "1"))
    )
    assert row["class"] == ""
    assert "none" in command.prints("predict", weights, photo, "--min-score", "1")


def test_boxes_are_drawn_into_the_picture(
    command: Command, weights: Path, photo: Path, tmp_path: Path
) -> None:
    command.prints("predict", weights, photo, "--draw", tmp_path / "drawn")
    with Image.open(tmp_path / "drawn" / "photo.png") as drawn, Image.open(photo) as image:
        assert drawn.size == image.size
        assert drawn.tobytes() != image.tobytes()


def test_a_bad_file_is_told_and_the_rest_goes_on(
    command: Command, weights: Path, photo: Path
) -> None:
    bad = photo.with_name("bad.png")
    bad.write_bytes(b"nothing")
    answer = command("predict", weights, bad, photo, "--json")
    assert answer.status == 1
    assert '"objects": [], "error": "' in answer.out


def test_an_image_that_is_too_narrow_is_a_bad_file(
    command: Command, weights: Path, photo: Path
) -> None:
    narrow = photo.with_name("narrow.png")
    Image.new("RGB", (1000, 1)).save(narrow)
    answer = command("predict", weights, narrow, "--json")
    assert answer.status == 1
    assert "an image of 1000x1 pixels is too long and narrow" in answer.out


def test_min_score_is_for_detectors(command: Command, photo: Path, tmp_path: Path) -> None:
    config = SMALL.backbone.replace(num_classes=2)
    card = ModelCard(image_size_px=64, resize_px=None)
    save_weights(tmp_path / "c.safetensors", create_model(config), config, card)
    told = command.refusal("predict", tmp_path / "c.safetensors", photo, "--min-score", "0.5")
    assert "does not find objects; leave it out" in told


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--precision", "bf16"], "detectors compute in fp32"),
        (["--masks", "masks"], "does not classify pixels"),
        (["--min-score", "2"], "min-score"),
        (["--batch-size", "4"], "detectors take one image at a time"),
    ],
)
def test_what_a_detector_has_not_is_refused(
    command: Command, weights: Path, photo: Path, flags: list[str], told: str
) -> None:
    assert told in command.refusal("predict", weights, photo, *flags)
