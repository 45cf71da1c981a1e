"""`resnext.predict` finds objects: answers and rows, as the command does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from command import Command
from made_detector import CARD, CLASSES, SCORES, detector, find_colours, picture
from PIL import Image
from small_detector import save_detector

import resnext
from resnext.errors import ConfigError
from resnext.model.trained import TrainedNetwork
from resnext.runtimes.exported import Exported
from resnext.runtimes.module import ExportedModule
from resnext.runtimes.spec import ExportSpec
from resnext.tasks.detection.answer import BoxAnswer

RECTANGLES = ((5, 4, 25, 16), (30, 20, 70, 50), (2, 40, 20, 58))


@pytest.fixture
def network() -> TrainedNetwork:
    """Return what `load` returns for an exported file."""
    config = detector()
    spec = ExportSpec(format="onnx", input="pixels", size_px=64, dynamic_size=True)
    exported = Exported(Path("colours.onnx"), config, CARD, spec, find_colours(config))
    return TrainedNetwork(ExportedModule(exported).eval(), config, CARD)


def test_objects_have_names_scores_boxes_and_masks(network: TrainedNetwork) -> None:
    found = resnext.predict(network, [picture(80, 60, RECTANGLES), b"damaged"], min_score=0.1)
    answer = found[0].answer
    assert isinstance(answer, BoxAnswer)
    assert [one.name for one in answer.objects] == list(CLASSES)
    assert [one.score for one in answer.objects] == pytest.approx(SCORES)
    assert [one.box for one in answer.objects] == list(RECTANGLES)
    mask = answer.objects[1].mask
    assert mask is not None
    assert mask.on_image().shape == (60, 80)
    assert mask.on_image()[20:50, 30:70].mean() > 0.95
    assert found[1].answer is None
    assert [row["image"] for row in found.rows] == ["image 0"] * 3 + ["image 1"]
    wanted = dict(zip(("left", "top", "right", "bottom"), RECTANGLES[0], strict=True))
    assert found.rows[0].items() >= ({"class": "red", "error": None} | wanted).items()


def test_scores_and_numbers_are_bounded(network: TrainedNetwork) -> None:
    image = picture(80, 60, RECTANGLES)
    counts = []
    for least, top in ((None, None), (0.7, None), (0.0, None), (0.0, 1)):
        (found,) = resnext.predict(network, image, min_score=least, top=top)
        assert isinstance(found.answer, BoxAnswer)
        counts.append(len(found.answer.objects))
    assert counts == [2, 1, 3, 1]
    with pytest.raises(ConfigError, match=r"min_score=1\.5: give a score of 0 to 1"):
        resnext.predict(network, image, min_score=1.5)
    with pytest.raises(ConfigError, match="detectors compute in fp32"):
        resnext.predict(network, image, precision="bf16")


def test_python_and_the_command_find_the_same(command: Command, tmp_path: Path) -> None:
    save_detector(tmp_path / "net.safetensors")
    pixels = np.random.default_rng(0).integers(0, 256, (60, 90, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    (told,) = command.json("predict", tmp_path / "net.safetensors", tmp_path / "photo.png")
    assert len(told["objects"]) > 10
    for given in (tmp_path / "photo.png", pixels):
        (found,) = resnext.predict(tmp_path / "net.safetensors", given)
        assert found.answer is not None
        assert found.answer.as_dict() == {"objects": told["objects"]}


def test_a_lowest_score_needs_a_detector() -> None:
    from page_network import small_network

    with pytest.raises(ConfigError, match="does not find objects; leave it out"):
        resnext.predict(small_network(), np.zeros((20, 20), np.uint8), min_score=0.5)
