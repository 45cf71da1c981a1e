"""The service of a network for pixels: masks as PNG or run lengths, bounded work."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_service import CONFIG, made_client
from PIL import Image
from starlette.testclient import TestClient

from resnext.model.card import ModelCard
from resnext.model.config import SegmenterConfig
from resnext.runtimes.exported import Exported
from resnext.runtimes.spec import ExportSpec
from resnext.serving import answers
from resnext.serving.app import create_app
from resnext.serving.limits import Limits
from resnext.serving.model import MAX_DENSE_MEGAPIXELS, ServedModel
from resnext.serving.service import Service

SEGMENTER = SegmenterConfig(
    family="fcn", num_classes=3, backbone=CONFIG.replace(num_classes=0, in_channels=3)
)
CARD = ModelCard(
    classes=("red", "green", "blue"), task="segmentation", image_size_px=8, resize_px=None
)
Array = np.ndarray[Any, np.dtype[Any]]


def strongest_colour(batch: Any) -> Any:
    """Score each pixel's classes by its channels."""
    return batch.transpose(0, 3, 1, 2).astype(np.float32)


def model(*, dynamic: bool = True) -> ServedModel:
    spec = ExportSpec(format="onnx", input="pixels", size_px=8, dynamic_size=dynamic)
    return ServedModel(
        Exported(Path("colours.onnx"), SEGMENTER, CARD, spec, strongest_colour), "colours"
    )


def client_of(one: ServedModel) -> TestClient:
    return TestClient(create_app(Service(lambda: one, Limits())))


@pytest.fixture
def client() -> Iterator[TestClient]:
    with client_of(model()) as found:
        yield found


def picture(height: int, width: int) -> tuple[bytes, Array]:
    """Return a PNG file of coloured noise, and the number of each pixel's strongest channel."""
    labels = np.random.default_rng(height).integers(0, 3, (height, width))
    pixels = (np.arange(3) == labels[:, :, None]).astype(np.uint8) * 200
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue(), labels


def ask(client: TestClient, *images: bytes, query: str = "") -> Any:
    files = [("images", ("x.png", data)) for data in images]
    return client.post(f"/v1/predict{query}", files=files)


@pytest.mark.parametrize("query", ["", "?masks=png"])
def test_masks_come_as_png_with_the_shares_of_the_classes(client: TestClient, query: str) -> None:
    first, second = picture(9, 14), picture(20, 5)
    answer = ask(client, first[0], second[0], query=query)
    assert answer.status_code == 200
    for found, (_, labels) in zip(answer.json()["images"], (first, second), strict=True):
        image = Image.open(io.BytesIO(base64.b64decode(found["mask"]["png"])))
        assert np.array_equal(np.asarray(image), labels)
        assert (found["mask"]["height"], found["mask"]["width"]) == labels.shape
        shares = {area["class"]: area["share"] for area in found["areas"]}
        for value, name in enumerate(CARD.classes):
            assert shares[name] == pytest.approx((labels == value).mean())


def test_masks_come_as_run_lengths(client: TestClient) -> None:
    data, labels = picture(9, 14)
    (found,) = ask(client, data, query="?masks=rle").json()["images"]
    assert "png" not in found["mask"]
    mask = np.full(labels.size, -1)
    for runs in found["mask"]["runs"]:
        assert runs["segmentation"]["size"] == list(labels.shape)
        lengths = runs["segmentation"]["counts"]
        is_class = np.repeat(np.arange(len(lengths)) % 2, lengths)
        mask[is_class == 1] = runs["value"]
    assert np.array_equal(mask.reshape(labels.shape, order="F"), labels)


def test_masks_of_too_many_runs_are_refused(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "_MAX_RUNS", 50)
    answer = ask(client, picture(20, 20)[0], query="?masks=rle")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "too_many_runs")
    assert ask(client, picture(20, 20)[0]).status_code == 200


def test_a_network_of_one_size_is_served_in_tiles() -> None:
    data, labels = picture(19, 30)
    with client_of(model(dynamic=False)) as client:
        (found,) = ask(client, data).json()["images"]
    image = Image.open(io.BytesIO(base64.b64decode(found["mask"]["png"])))
    assert np.array_equal(np.asarray(image), labels)


def test_an_image_of_too_much_work_is_refused(client: TestClient) -> None:
    assert client.get("/v1/model").json()["limits"]["max_megapixels"] == MAX_DENSE_MEGAPIXELS
    file = io.BytesIO()
    Image.new("RGB", (2100, 2000)).save(file, "PNG")
    answer = ask(client, file.getvalue())
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_many_pixels")
    assert "4 million pixels" in answer.json()["error"]["message"]


def test_a_form_of_masks_needs_masks() -> None:
    with made_client() as client:
        answer = ask(client, picture(8, 8)[0], query="?masks=png")
    assert answer.status_code == 422
    assert "has no masks" in answer.json()["error"]["message"]


def test_the_description_tells_the_forms(client: TestClient) -> None:
    description = client.get("/openapi.json").json()
    parameters = description["paths"]["/v1/predict"]["post"]["parameters"]
    assert {one["name"] for one in parameters} == {"top", "masks", "min_score"}
    mask = description["components"]["schemas"]["_MaskImage"]["properties"]
    assert {"png", "runs", "width", "height"} == set(mask)
