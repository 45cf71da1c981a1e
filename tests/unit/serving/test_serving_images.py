"""How the service answers image files that are far more work than their pixels are worth."""

from __future__ import annotations

import io

import pytest
from made_service import form_of, image_bytes, made_client, made_service
from PIL import Image, ImageFile

from resnext.data.prepare.preparation import Preparation
from resnext.inference.preprocessor import Preprocessor
from resnext.serving.limits import Limits
from resnext.serving.preparation import check_header, decode_image
from resnext.serving.problems import HttpError

GREEN = (10, 200, 20)


def jpeg_of_scans(num: int) -> bytes:
    file = io.BytesIO()
    Image.effect_noise((64, 64), 60).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    return data[:-2] + num * b"\xff\xda\0\x08\1\1\0\1\x3f\0\0\0" + data[-2:]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (jpeg_of_scans(20_000), "the JPEG has more than 100 scans"),
        (b"P6\n#" + bytes(10**5) + b"\n1 1 255\n123", "header has more than 64 KiB"),
        (b"P6 5000 5000 255\n123", "too short for 5000 x 5000 pixels"),
    ],
)
def test_a_hostile_image_is_answered_with_the_reason(data: bytes, reason: str) -> None:
    with made_client(made_service()) as client:
        answer = client.post("/v1/predict", files=form_of(image_bytes(GREEN), data))
        assert client.post("/v1/predict", files=form_of(image_bytes(GREEN))).status_code == 200
    assert answer.status_code == 400
    (image,) = answer.json()["error"]["images"]
    assert (image["index"], image["code"]) == (1, "bad_image")
    assert reason in image["message"]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"P6 9000 9000 255\n123", 413),
        (jpeg_of_scans(1_000), 400),
        (image_bytes(GREEN, "JPEG")[:300], 400),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", 415),
        (b"", 415),
    ],
)
def test_no_decoder_is_asked_about_a_refused_image(
    data: bytes, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda _: pytest.fail("decoded"))
    with pytest.raises(HttpError) as caught:
        check_header(data, Limits())
    assert caught.value.status == status


def test_an_image_that_comes_past_the_first_check_is_checked_again() -> None:
    with pytest.raises(HttpError) as caught:
        decode_image(jpeg_of_scans(1_000), Preprocessor(3, Preparation(8)))
    assert caught.value.status == 400


def test_a_format_that_is_not_accepted_is_not_even_checked() -> None:
    with pytest.raises(HttpError) as caught:
        check_header(jpeg_of_scans(1_000), Limits(formats=("png",)))
    assert caught.value.status == 415
