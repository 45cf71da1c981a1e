"""The answer of a network that gives every pixel a class."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from resnext.model.card import ModelCard
from resnext.tasks.kinds import answer_type, task_for
from resnext.tasks.segmentation.answer import MaskAnswer, MaskSchema
from resnext.tasks.segmentation.run_lengths import run_lengths

NAMES = ("background", "cat", "dog")


@pytest.fixture
def answer() -> MaskAnswer:
    """Of 2 x 4 pixels, one is a cat and two are a dog."""
    outputs = np.zeros((3, 2, 4), dtype=np.float32)
    outputs[0] = 0.5
    outputs[1, 0, 1] = 2.0
    outputs[2, :, 3] = 1.0
    return MaskAnswer.read(outputs, NAMES, ModelCard(), top=5)


def test_the_task_of_masks_has_this_answer() -> None:
    assert answer_type(task_for("mask").name) is MaskAnswer


def test_each_pixel_has_the_class_with_the_highest_score(answer: MaskAnswer) -> None:
    assert answer.mask_hw.tolist() == [[0, 1, 0, 2], [0, 0, 0, 2]]
    assert answer.areas == [("background", 0, 5 / 8), ("dog", 2, 2 / 8), ("cat", 1, 1 / 8)]


def test_json_holds_the_mask_as_a_png_of_class_numbers(answer: MaskAnswer) -> None:
    found = json.loads(json.dumps(answer.as_dict()))
    MaskSchema(**found)
    png = Image.open(io.BytesIO(base64.b64decode(found["mask"]["png"])))
    assert png.mode == "P"
    assert np.array_equal(np.asarray(png), answer.mask_hw)
    assert found["areas"][1] == {"class": "dog", "value": 2, "share": 0.25}
    MaskSchema(**MaskAnswer.nothing())


@pytest.mark.parametrize("pixels", [[[0, 0], [0, 0]], [[1, 1], [1, 1]], [[1, 0], [0, 1]]])
def test_run_lengths_give_the_mask_back(pixels: list[list[int]]) -> None:
    mask = np.array(pixels, dtype=np.bool_)
    found = run_lengths(mask)
    values = np.arange(len(found["counts"])) % 2
    flat = np.repeat(values, found["counts"])
    assert found["size"] == [2, 2]
    assert np.array_equal(flat.reshape(2, 2, order="F"), mask)


def test_run_lengths_of_a_class_say_which(answer: MaskAnswer) -> None:
    found = {row["class"]: row["segmentation"] for row in answer.run_lengths()}
    assert found["cat"] == {"size": [2, 4], "counts": [2, 1, 5]}  # the third, column by column


def test_a_drawing_shows_the_background_as_it_is(answer: MaskAnswer) -> None:
    image = Image.new("RGB", (4, 2), (10, 20, 30))
    drawn = np.asarray(answer.draw(image))
    is_plain = (drawn == (10, 20, 30)).all(axis=2)
    assert np.array_equal(is_plain, answer.mask_hw == 0)


def test_more_classes_than_a_byte_holds_give_sixteen_bits() -> None:
    outputs = np.zeros((300, 1, 2), dtype=np.float32)
    outputs[299, 0, 1] = 1.0
    answer = MaskAnswer.read(outputs, [str(k) for k in range(300)], ModelCard(), top=1)
    image = Image.open(io.BytesIO(answer.png_bytes()))
    assert np.asarray(image).tolist() == [[0, 299]]


def test_rows_and_cells_name_what_occurs(answer: MaskAnswer) -> None:
    assert answer.csv_rows()[0] == ("background", 0, 5 / 8)
    assert answer.table_cells() == ("background", "62.5 %", "dog 25.0 %, cat 12.5 %")
