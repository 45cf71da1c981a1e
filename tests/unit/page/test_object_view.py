"""The page shows a detector's objects: boxes in the picture, a legend and a table."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from made_detector import detector_model, picture
from PIL import Image

from resnext.errors import DataError
from resnext.page.classifier import Classifier
from resnext.page.object_view import show_objects
from resnext.tasks.detection.answer import BoxAnswer, FoundObject

RECTANGLES = ((50, 40, 250, 160), (300, 200, 700, 500), (20, 400, 200, 580))


@pytest.fixture
def classifier() -> Classifier:
    return Classifier(detector_model().exported)


def test_the_objects_are_drawn_and_listed(classifier: Classifier) -> None:
    assert classifier.finds_objects
    assert not classifier.is_dense
    image, answer = classifier.find(picture(800, 600, RECTANGLES))
    assert image.size == (800, 600)
    html = show_objects("two.png", image, answer)
    rows = re.findall(r"<td>(.*?)</td>", html)
    assert rows == [
        *("red", "90.0 %", "50.0", "40.0", "250.0", "160.0"),
        *("green", "60.0 %", "300.0", "200.0", "700.0", "500.0"),
    ]  # blue has a score of 0.3
    assert html.count('class="color"') == 2
    assert "two.png" in html
    found = re.search(r'src="data:image/jpeg;base64,([^"]+)"', html)
    assert found
    shown = Image.open(io.BytesIO(base64.b64decode(found[1])))
    assert shown.size == (720, 540)
    pixels = np.asarray(shown).astype(int)
    assert np.abs(pixels[100, 10] - 40).max() < 10  # outside
    assert np.abs(pixels[300, 450] - (0, 255, 0)).max() > 60  # the mask's colour is mixed in


def test_an_image_without_objects_says_so(classifier: Classifier) -> None:
    html = show_objects("none", *classifier.find(picture(80, 60, ())))
    assert "No object has a score of at least 50 %" in html
    assert "<table>" not in html


def test_an_image_that_is_too_narrow_gives_a_message(classifier: Classifier) -> None:
    with pytest.raises(DataError, match="too long and narrow"):
        classifier.find(picture(20_000, 1, ()))


def test_names_are_shown_as_text() -> None:
    name = "<script>x</script>"
    answer = BoxAnswer((FoundObject(0, name, 0.9, (1, 2, 30, 40)),), (name,))
    html = show_objects("<i>t</i>", Image.new("RGB", (50, 50)), answer)
    assert "<script" not in html
    assert "<i>" not in html
    assert "&lt;script&gt;" in html
