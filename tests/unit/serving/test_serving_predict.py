import base64
import importlib.metadata
import io
from dataclasses import replace
from typing import Any

import numpy as np
import onnxruntime
import pytest
from made_service import form_of, image_bytes, made_client, made_model, mean_of_channels
from PIL import Image

from resnext.errors import CheckpointError, ConfigError
from resnext.serving.limits import Limits
from resnext.serving.model import ServedModel

RED, GREEN, BLUE = (200, 10, 20), (10, 200, 20), (10, 20, 200)


def test_each_image_of_a_form_gets_its_classes_in_the_order_of_the_form() -> None:
    with made_client() as client:
        files = form_of(*(image_bytes(colour) for colour in (BLUE, RED, GREEN)))
        answer = client.post("/v1/predict", files=files)
    assert answer.status_code == 200
    body = answer.json()
    assert body["model"] == "colours"
    best = [image["predictions"][0]["class"] for image in body["images"]]
    assert best == ["blue", "red", "green"]


def test_probabilities_are_the_softmax_of_the_logits() -> None:
    with made_client() as client:
        answer = client.post("/v1/predict", files=form_of(image_bytes(RED)))
    shares = [guess["probability"] for guess in answer.json()["images"][0]["predictions"]]
    exponents = np.exp(np.array(RED) / 25.5)
    assert shares == pytest.approx(sorted(exponents / exponents.sum(), reverse=True), rel=1e-5)


def test_json_and_a_form_get_the_same_answer() -> None:
    image = image_bytes(GREEN, "JPEG")
    text = base64.b64encode(image).decode()
    with made_client() as client:
        by_form = client.post("/v1/predict", files=form_of(image, image))
        by_json = client.post("/v1/predict", json={"images": [text, text]})
    assert by_json.status_code == 200
    assert by_json.json() == by_form.json()


def _base64_forms(image: bytes) -> dict[str, str]:
    plain = base64.b64encode(image).decode()
    return {
        "lines": base64.encodebytes(image).decode(),
        "lines of Windows": base64.encodebytes(image).decode().replace("\n", "\r\n"),
        "spaces around": f" \t{plain}\n",
        "URL-safe": base64.urlsafe_b64encode(image).decode(),
        "no padding": plain.rstrip("="),
        "URL-safe, no padding": base64.urlsafe_b64encode(image).decode().rstrip("="),
        "data URL": f"data:image/png;base64,{plain}",
        "data URL with a parameter": f"DATA:image/png;name=a.png;BASE64,{plain}",
    }


@pytest.mark.parametrize("form", _base64_forms(b""))
def test_base64_is_taken_in_all_its_usual_forms(form: str) -> None:
    images = [image_bytes(GREEN, "BMP"), image_bytes(RED, "PNG"), image_bytes(BLUE, "PNG")]
    texts = [_base64_forms(image)[form] for image in images]
    with made_client() as client:
        wanted = client.post("/v1/predict", files=form_of(*images)).json()
        escaped = client.post("/v1/predict", json={"images": texts})
        listed = ", ".join(f'"{text}"' for text in texts)  # line breaks as they are
        raw = client.post(
            "/v1/predict",
            content=f'{{"images": [{listed}]}}',
            headers={"Content-Type": "application/json"},
        )
    assert escaped.json() == raw.json() == wanted


@pytest.mark.parametrize(
    "path", ["/healthz", "/readyz", "/metrics", "/v1/model", "/docs", "/openapi.json"]
)
def test_head_is_answered_as_get_without_the_body(path: str) -> None:
    with made_client() as client:
        got, head = client.get(path), client.head(path)
        assert client.head("/v1/predict").status_code == 405
        assert client.head("/nowhere").status_code == 404
    assert head.status_code == got.status_code == 200
    assert head.content == b""
    assert head.headers["content-type"] == got.headers["content-type"]
    if path != "/metrics":  # whose figures have changed
        assert head.headers["content-length"] == got.headers["content-length"]


@pytest.mark.parametrize(("top", "expected"), [(1, 1), (2, 2), (3, 3), (1000, 3)])
def test_top_bounds_the_classes_of_each_image(top: int, expected: int) -> None:
    with made_client() as client:
        answer = client.post(f"/v1/predict?top={top}", files=form_of(image_bytes()))
    assert len(answer.json()["images"][0]["predictions"]) == expected


@pytest.mark.parametrize("name", ["images", "image", "files", "file"])
def test_the_usual_names_of_the_field_are_taken(name: str) -> None:
    with made_client() as client:
        assert client.post("/v1/predict", files=form_of(image_bytes(), name=name)).is_success


@pytest.mark.parametrize("form", ["BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP"])
def test_every_format_of_the_list_is_taken(form: str) -> None:
    with made_client() as client:
        answer = client.post("/v1/predict", files=form_of(image_bytes(RED, form)))
    assert answer.json()["images"][0]["predictions"][0]["class"] == "red"


def test_a_network_for_normalised_input_gets_what_its_card_says() -> None:
    model = made_model()
    seen = []

    def infer(batch: Any) -> Any:
        seen.append(batch)
        return mean_of_channels(batch.transpose(0, 2, 3, 1))

    exported = model.exported
    spec = exported.spec.replace(input="normalised")
    normalised = ServedModel(replace(exported, spec=spec, infer=infer), "n")
    pixels = normalised.decode(image_bytes(RED))
    normalised.run([pixels])
    mean, std = (np.array(v).reshape(3, 1, 1) for v in (exported.card.mean, exported.card.std))
    expected = (np.array(RED).reshape(3, 1, 1) / 255 - mean) / std
    assert seen[0].dtype == np.float32
    assert seen[0][0] == pytest.approx(np.broadcast_to(expected, (3, 8, 8)), abs=1e-5)


@pytest.mark.parametrize(("size", "shape"), [((30, 20), (20, 30, 3)), ((20_000, 1), (1, 10, 3))])
def test_a_network_that_crops_itself_gets_the_image_but_no_endless_line(
    size: tuple[int, int], shape: tuple[int, int, int]
) -> None:
    exported = made_model().exported
    model = ServedModel(replace(exported, spec=exported.spec.replace(input="image")), "crops")
    file = io.BytesIO()
    Image.new("RGB", size, RED).save(file, "PNG")
    pixels = model.decode(file.getvalue())
    assert pixels.shape == shape
    assert (pixels == RED).all()


def test_a_network_that_answers_no_numbers_is_not_served() -> None:
    with pytest.raises(CheckpointError, match="a finite number for each"):
        made_model(lambda batch: np.full((len(batch), 3), np.nan)).try_out()


def test_a_network_that_does_not_run_is_not_served() -> None:
    def broken(_: object) -> object:
        raise RuntimeError("no such operator")

    with pytest.raises(CheckpointError, match="no such operator"):
        made_model(broken).try_out()


def test_a_network_for_other_input_than_images_is_not_served() -> None:
    exported = made_model().exported
    speech = replace(exported, config=exported.config.replace(in_channels=2))
    with pytest.raises(ConfigError, match="1 or 3"):
        ServedModel(speech, "speech")


def test_the_model_is_told_with_its_classes_figures_limits_and_versions() -> None:
    with made_client() as client:
        told = client.get("/v1/model").json()
    assert told["classes"] == ["red", "green", "blue"]
    assert told["metrics"] == {"top1_error": 7.5}
    assert (told["input"], told["precision"], told["image_size_px"]) == ("pixels", "fp32", 8)
    assert told["limits"]["max_images"] == Limits().max_images
    assert set(told["versions"]) == {"resnext", "onnxruntime"}


def test_a_runtime_from_a_package_of_another_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)  # as with onnxruntime-gpu

    monkeypatch.setattr(importlib.metadata, "version", unknown)
    with made_client() as client:
        told = client.get("/v1/model").json()
    assert told["versions"]["onnxruntime"] == onnxruntime.__version__


def test_the_reference_page_loads_nothing_and_names_every_operation() -> None:
    with made_client() as client:
        page = client.get("/docs").text
        paths = client.get("/openapi.json").json()["paths"]
    assert all(f" {path}</code>" in page for path in paths)
    assert "/v1/predict" in paths
    assert "<script" not in page
    assert "src=" not in page


def test_figures_count_requests_and_batches() -> None:
    with made_client() as client:
        client.post("/v1/predict", files=form_of(image_bytes()))
        client.get("/made-up")
        figures = client.get("/metrics").text
    assert 'resnext_requests_total{code="200",route="/v1/predict"} 1.0' in figures
    assert 'resnext_requests_total{code="404",route="other"} 1.0' in figures
    assert "resnext_batch_images_count 1.0" in figures
    assert "resnext_queue_images 0.0" in figures
    assert "made-up" not in figures
