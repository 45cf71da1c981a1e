"""The service of a detector: objects, a lowest score, a number of objects, masks, bounded work."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from made_detector import CLASSES, SCORES, detector_client, picture
from made_service import image_bytes, made_client
from PIL import Image
from starlette.testclient import TestClient

from resnext.serving import answers
from resnext.serving.model import MAX_OBJECT_MEGAPIXELS

RECTANGLES = ((5, 4, 25, 16), (30, 20, 70, 50), (2, 40, 20, 58))


@pytest.fixture
def client() -> Iterator[TestClient]:
    with detector_client() as found:
        yield found


def ask(client: TestClient, *images: bytes, query: str = "") -> Any:
    files = [("images", ("x.png", data)) for data in images]
    return client.post(f"/v1/predict{query}", files=files)


def test_objects_have_class_score_and_box(client: TestClient) -> None:
    images = (picture(80, 60, RECTANGLES), picture(33, 90, (None, (1, 2, 30, 80))))
    answer = ask(client, *images, query="?min_score=0.1")
    assert answer.status_code == 200
    first, second = answer.json()["images"]
    assert [one["class"] for one in first["objects"]] == list(CLASSES)
    assert [one["score"] for one in first["objects"]] == pytest.approx(SCORES)
    assert [tuple(one["box"]) for one in first["objects"]] == list(RECTANGLES)
    (only,) = second["objects"]
    assert (only["class"], only["label"], only["box"]) == ("green", 1, [1, 2, 30, 80])


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", ["red", "green"]),  # a score of at least 0.5
        ("?min_score=0.7", ["red"]),
        ("?min_score=0", ["red", "green", "blue"]),
        ("?min_score=0&top=2", ["red", "green"]),
        ("?min_score=1", []),
    ],
)
def test_scores_and_number_of_objects_are_bounded(
    client: TestClient, query: str, wanted: list[str]
) -> None:
    (found,) = ask(client, picture(80, 60, RECTANGLES), query=query).json()["images"]
    assert [one["class"] for one in found["objects"]] == wanted


@pytest.mark.parametrize("query", ["", "?masks=rle"])
def test_masks_are_run_lengths_in_the_whole_image(client: TestClient, query: str) -> None:
    (found,) = ask(client, picture(80, 60, RECTANGLES), query=query).json()["images"]
    for one, (left, top, right, bottom) in zip(found["objects"], RECTANGLES, strict=False):
        assert one["segmentation"]["size"] == [60, 80]
        counts = one["segmentation"]["counts"]
        mask = np.repeat(np.arange(len(counts)) % 2, counts).reshape(80, 60).T
        assert mask[top:bottom, left:right].mean() > 0.95  # its corners are round
        assert mask.sum() == mask[top - 1 : bottom + 1, left - 1 : right + 1].sum()


def test_a_network_without_masks_gives_boxes_only() -> None:
    with detector_client("retinanet") as client:
        (found,) = ask(client, picture(80, 60, RECTANGLES)).json()["images"]
    assert set(found["objects"][0]) == {"class", "label", "score", "box"}


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("?masks=png", "written as rle"),
        ("?min_score=2", "min_score"),
        ("?min_score=nan", "min_score"),
        ("?top=0", "top"),
    ],
)
def test_wrong_parameters_are_refused(client: TestClient, query: str, told: str) -> None:
    answer = ask(client, picture(80, 60, RECTANGLES), query=query)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_parameter")
    assert told in answer.json()["error"]["message"]


def test_a_lowest_score_needs_objects() -> None:
    with made_client() as client:
        answer = ask(client, image_bytes(), query="?min_score=0.5")
    assert answer.status_code == 422
    assert "does not find objects" in answer.json()["error"]["message"]


def test_an_image_of_too_much_work_is_refused(client: TestClient) -> None:
    assert client.get("/v1/model").json()["limits"]["max_megapixels"] == MAX_OBJECT_MEGAPIXELS
    file = io.BytesIO()
    Image.new("L", (5000, 5000)).save(file, "PNG")
    answer = ask(client, file.getvalue())
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_many_pixels")


def test_an_image_that_is_too_narrow_is_refused(client: TestClient) -> None:
    answer = ask(client, picture(20_000, 1, ()))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_image")
    assert "too long and narrow" in answer.json()["error"]["message"]


def test_masks_of_too_many_runs_are_refused(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "_MAX_RUNS", 50)
    answer = ask(client, picture(80, 60, RECTANGLES))
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "too_many_runs")
    assert (
        ask(client, picture(80, 60, RECTANGLES), query="?top=1&min_score=0.95").status_code == 200
    )


def test_the_description_tells_of_objects(client: TestClient) -> None:
    description = client.get("/openapi.json").json()
    parameters = description["paths"]["/v1/predict"]["post"]["parameters"]
    assert {one["name"] for one in parameters} == {"top", "masks", "min_score"}
    found = description["components"]["schemas"]["_Object"]["properties"]
    assert set(found) == {"class", "label", "score", "box", "segmentation"}
    assert "min_score" in client.get("/docs").text
