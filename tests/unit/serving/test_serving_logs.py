import json
import logging

import pytest
from made_service import form_of, image_bytes, made_client

from resnext.serving.logs import JsonLines


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    records = [record for record in caplog.records if record.name == "resnext.serving"]
    return [json.loads(JsonLines().format(record)) for record in records]


def test_each_request_is_one_line_of_json_with_nothing_that_the_caller_chose(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with made_client() as client, caplog.at_level(logging.INFO, "resnext.serving"):
        good = client.post("/v1/predict?top=2&secret=1", files=form_of(image_bytes()))
        client.post("/v1/predict", files=form_of(b"no image"))
        client.get("/of-the-caller%0A?x=of-the-caller", headers={"X": "of-the-caller"})
        client.request("OFTHECALLERX", "/healthz")
    first, second, third, fourth = lines(caplog)
    assert (first["event"], first["level"]) == ("request", "info")
    assert first["id"] == good.headers["X-Request-Id"]
    assert (first["status"], first["images"], first["route"]) == (200, 1, "/v1/predict")
    assert isinstance(first["ms"], float)
    assert (second["status"], second["code"]) == (415, "unsupported_format")
    assert (third["status"], third["route"]) == (404, "other")
    assert fourth["method"] == "other"
    assert "of-the-caller" not in json.dumps([first, second, third]).lower()
    assert "secret" not in json.dumps(first)


def test_an_error_is_one_line_with_its_trace() -> None:
    try:
        raise ValueError("odd\nreason")
    except ValueError:
        import sys

        record = logging.LogRecord("x", logging.ERROR, "", 0, "failed", None, sys.exc_info())
    text = JsonLines().format(record)
    assert "\n" not in text
    assert "ValueError" in json.loads(text)["trace"]
