import base64
import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from made_service import form_of, image_bytes, made_client, made_service
from PIL import Image

from resnext.errors import ConfigError
from resnext.serving.limits import Limits

FIELD = b'Content-Disposition: form-data; name="%s"\r\n\r\n'


def refused(answer: Any, status: int, code: str) -> dict[str, object]:
    """Check the common form of an answer that is no success, and return the error."""
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error"}
    error = answer.json()["error"]
    assert error["code"] == code
    assert error["message"]
    assert isinstance(error, dict)
    return error


def bomb(width: int = 50_000, height: int = 50_000) -> bytes:
    """Return a PNG of few bytes that claims any size."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")]
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, data in chunks:
        crc = struct.pack(">I", zlib.crc32(kind + data))
        parts.append(struct.pack(">I", len(data)) + kind + data + crc)
    return b"".join(parts)


def test_a_body_that_announces_too_much_is_refused() -> None:
    with made_client(made_service(max_body_mib=0.01)) as client:
        answer = client.post("/v1/predict", content=b"x" * 20_000)
    refused(answer, 413, "body_too_large")


@pytest.mark.slow
def test_a_body_that_announces_nothing_is_counted_while_it_comes() -> None:
    taken = 0

    def chunks() -> Iterator[bytes]:
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield b"x" * 1024

    with made_client(made_service(max_body_mib=0.01)) as client:
        answer = client.post("/v1/predict", content=chunks())
    refused(answer, 413, "body_too_large")


def test_too_many_images_are_refused() -> None:
    service = made_service(max_images=2)
    image = image_bytes()
    text = base64.b64encode(image).decode()
    with made_client(service) as client:
        assert client.post("/v1/predict", files=form_of(image, image)).is_success
        by_form = client.post("/v1/predict", files=form_of(image, image, image))
        by_json = client.post("/v1/predict", json={"images": [text] * 3})
    refused(by_form, 413, "too_many_images")
    refused(by_json, 413, "too_many_images")


@pytest.mark.parametrize("sides", [(50_000, 50_000), (10_000, 5_001), (2**31 - 1, 1)])
def test_a_decompression_bomb_is_refused_by_its_header(sides: tuple[int, int]) -> None:
    with made_client() as client:
        answer = client.post("/v1/predict", files=form_of(image_bytes(), bomb(*sides)))
    error = refused(answer, 413, "too_many_pixels")
    assert [image["index"] for image in error["images"]] == [1]  # type: ignore[attr-defined]


def test_an_image_of_just_the_accepted_pixels_is_taken() -> None:
    with made_client(made_service(max_megapixels=0.0001)) as client:  # 100 pixels
        assert client.post("/v1/predict", files=form_of(image_bytes(side=10))).is_success
        larger = client.post("/v1/predict", files=form_of(image_bytes(side=11)))
    refused(larger, 413, "too_many_pixels")


def test_a_format_that_is_not_accepted_is_refused_by_content_not_by_name() -> None:
    with made_client(made_service(formats=("png",))) as client:
        assert client.post("/v1/predict", files=form_of(image_bytes())).is_success
        answer = client.post("/v1/predict", files=form_of(image_bytes(form="JPEG")))
    assert "png" in str(refused(answer, 415, "unsupported_format")["message"])


def test_formats_that_start_other_programs_or_are_no_photographs_are_never_read() -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "EPS")
    with made_client() as client:
        answer = client.post("/v1/predict", files=form_of(file.getvalue()))
    refused(answer, 415, "unsupported_format")


def test_every_bad_image_is_named_by_its_index_and_none_is_answered() -> None:
    good = image_bytes()
    with made_client() as client:
        torn = image_bytes(form="JPEG", side=64)[:400]
        answer = client.post("/v1/predict", files=form_of(good, b"no image", good, torn))
    error = refused(answer, 415, "unsupported_format")
    found = [(image["index"], image["code"]) for image in error["images"]]  # type: ignore[attr-defined]
    assert found == [(1, "unsupported_format"), (3, "bad_image")]
    assert "of-the-caller" not in answer.text


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "malformed_body"),
        (b"{", 400, "malformed_body"),
        (b"\xff\xfe", 400, "malformed_body"),
        (b"[" * 100_000, 422, "wrong_shape"),
        (b"[]", 422, "wrong_shape"),
        (b"null", 422, "wrong_shape"),
        (b'{"images": "abc"}', 422, "wrong_shape"),
        (b'{"images": [], "top": 3}', 422, "wrong_shape"),
        (b'{"images": []}', 422, "no_images"),
        (b'{"images": [7]}', 422, "bad_base64"),
        (b'{"images": ["data:image/png,AAAA"]}', 422, "bad_base64"),
        (b'{"images": ["data:image/png;base64"]}', 422, "bad_base64"),
        (b'{"images": ["data:image/png;base64,AAAA"]}', 415, "unsupported_format"),
        (b'{"images": ["AAAAA"]}', 422, "bad_base64"),
        (b'{"images": ["AA=A"]}', 422, "bad_base64"),
        (b'{"images": ["AA!A"]}', 422, "bad_base64"),
        ('{"images": ["ü"]}'.encode(), 422, "bad_base64"),
        (b'{"images": [""]}', 415, "unsupported_format"),
    ],
)
def test_json_that_is_not_as_told_is_refused(body: bytes, status: int, code: str) -> None:
    with made_client() as client:
        answer = client.post(
            "/v1/predict", content=body, headers={"Content-Type": "application/json"}
        )
    refused(answer, status, code)


@pytest.mark.parametrize(
    ("body", "boundary", "status", "code"),
    [
        (b"", "b", 400, "malformed_body"),
        (b"--b--\r\n", "b", 422, "no_images"),
        (b"nonsense", "b", 400, "malformed_body"),
        (b"--b\r\n" + FIELD % b"images" + b"torn", "b", 400, "malformed_body"),
        (b"--b\r\n" + FIELD % b"top" + b"3\r\n--b--\r\n", "b", 422, "unknown_field"),
        (b"--b\r\n\r\n3\r\n--b--\r\n", "b", 422, "unknown_field"),
        (b"----\r\n", "", 400, "malformed_body"),
        (b"x", "y" * 300, 400, "malformed_body"),
    ],
)
def test_a_form_that_is_not_as_told_is_refused(
    body: bytes, boundary: str, status: int, code: str
) -> None:
    with made_client() as client:
        kind = f"multipart/form-data; boundary={boundary}"
        answer = client.post("/v1/predict", content=body, headers={"Content-Type": kind})
    refused(answer, status, code)


@pytest.mark.parametrize("kind", ["", "text/plain", "image/png", "application/json+x"])
def test_another_kind_of_body_is_refused(kind: str) -> None:
    with made_client() as client:
        answer = client.post("/v1/predict", content=b"x", headers={"Content-Type": kind})
    refused(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize("top", ["0", "-1", "x", ""])
def test_a_wrong_top_is_refused(top: str) -> None:
    with made_client() as client:
        answer = client.post(f"/v1/predict?top={top}", files=form_of(image_bytes()))
    assert "top" in str(refused(answer, 422, "invalid_parameter")["message"])


def test_what_is_not_there_is_refused_in_the_same_form() -> None:
    with made_client() as client:
        refused(client.get("/v2/predict"), 404, "not_found")
        refused(client.get("/v1/predict"), 405, "method_not_allowed")


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_images": 0},
        {"max_megapixels": 129},
        {"formats": ("eps",)},
        {"formats": ()},
        {"queue_images": 0},
        {"max_body_mib": 0},
    ],
)
def test_limits_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Limits(**wrong)
