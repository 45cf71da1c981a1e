"""The files that predict writes: each called like its image, none in the place of one."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resnext.cli.prediction_pictures import Pictures
from resnext.data.decode.image import decode
from resnext.errors import ConfigError, RunError
from resnext.inference.files import Prediction
from resnext.tasks.answer import ClassScore
from resnext.tasks.classification.answer import ClassAnswer
from resnext.tasks.segmentation.answer import MaskAnswer

ANSWER = MaskAnswer(np.array([[0, 1], [1, 1]], dtype=np.uint8), ("background", "cat"))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    Image.new("RGB", (2, 2), "grey").save(path)
    return path


def pixels_of(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image)


def test_masks_and_drawings_are_called_like_their_images(photo: Path, tmp_path: Path) -> None:
    pictures = Pictures(MaskAnswer, decode, tmp_path / "drawn", tmp_path / "masks")
    for path in (photo, tmp_path / "other" / "photo.png"):
        pictures._read = lambda _: decode(photo)
        pictures.write(Prediction(0, path, ANSWER))
    assert sorted(file.name for file in (tmp_path / "masks").iterdir()) == [
        "photo-2.png",
        "photo.png",
    ]
    assert pixels_of(tmp_path / "masks" / "photo.png").tolist() == [[0, 1], [1, 1]]
    drawn = pixels_of(tmp_path / "drawn" / "photo.png")
    assert len({tuple(color) for row in drawn for color in row}) == 2


def test_a_class_is_written_below_its_image(photo: Path, tmp_path: Path) -> None:
    pictures = Pictures(ClassAnswer, decode, tmp_path / "drawn", None)
    answer = ClassAnswer((ClassScore(0, "a cat", 0.9), ClassScore(1, "a dog", 0.1)))
    pictures.write(Prediction(0, photo, answer))
    drawn = pixels_of(tmp_path / "drawn" / "photo.png")
    assert drawn.shape[1] == 240
    below = drawn[240:]
    assert below.min() < 50  # letters
    assert below.max() == 255


def test_a_bad_file_has_no_picture(photo: Path, tmp_path: Path) -> None:
    pictures = Pictures(MaskAnswer, decode, tmp_path / "drawn", None)
    pictures.write(Prediction(0, photo, error="is empty"))
    assert list((tmp_path / "drawn").iterdir()) == []


@pytest.mark.parametrize("given", ["photo.png", "photo.jpg"])
def test_a_file_of_the_user_is_never_replaced(tmp_path: Path, given: str) -> None:
    Image.new("RGB", (2, 2)).save(tmp_path / "photo.png")
    Image.new("RGB", (2, 2)).save(tmp_path / "photo.jpg")
    before = (tmp_path / "photo.png").read_bytes()
    pictures = Pictures(MaskAnswer, decode, tmp_path, None)
    with pytest.raises(RunError, match=r"photo\.png exists and was not written by"):
        pictures.write(Prediction(0, tmp_path / given, ANSWER))
    assert (tmp_path / "photo.png").read_bytes() == before


def test_files_of_an_earlier_call_are_replaced(photo: Path, tmp_path: Path) -> None:
    for share in (0, 1):
        pictures = Pictures(MaskAnswer, decode, None, tmp_path / "masks")
        answer = MaskAnswer(np.full((2, 2), share, np.uint8), ("background", "cat"))
        pictures.write(Prediction(0, photo, answer))
    assert (pixels_of(tmp_path / "masks" / "photo.png") == 1).all()


def test_numbered_names_never_meet_the_name_of_another_image(tmp_path: Path) -> None:
    names = ("a.jpg", "a-2.jpg", "sub/a.jpg", "sub/A.jpg")
    pictures = Pictures(MaskAnswer, decode, None, tmp_path / "masks")
    for number, name in enumerate(names):
        answer = MaskAnswer(np.full((2, 2), number, np.uint8), tuple("0123"))
        pictures.write(Prediction(number, tmp_path / name, answer))
    found = {file.name: int(pixels_of(file)[0, 0]) for file in (tmp_path / "masks").iterdir()}
    assert found == {"a.png": 0, "a-2.png": 1, "a-3.png": 2, "A-4.png": 3}


def test_masks_of_a_classifier_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--masks: this network does not classify pixels"):
        Pictures(ClassAnswer, decode, None, tmp_path)


def test_one_folder_for_both_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="give two folders"):
        Pictures(MaskAnswer, decode, tmp_path, tmp_path)
