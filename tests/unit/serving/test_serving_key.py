import base64
from pathlib import Path

import pytest
from made_service import form_of, image_bytes, made_client

from resnext.errors import ConfigError
from resnext.serving.key import VARIABLE, read_key

KEY = "a-key-of-more-than-16"


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"anyone:{password}".encode()).decode()


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {KEY}"},
        {"Authorization": f"bearer {KEY}"},
        {"X-API-Key": KEY},
        {"Authorization": basic(KEY)},
    ],
)
def test_the_key_opens_in_three_forms(headers: dict[str, str]) -> None:
    with made_client(api_key=KEY) as client:
        answer = client.post("/v1/predict", files=form_of(image_bytes()), headers=headers)
    assert answer.status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": f"Bearer {KEY}x"},
        {"Authorization": f"Bearer {KEY[:-1]}"},
        {"Authorization": KEY},
        {"Authorization": basic("wrong")},
        {"Authorization": "Basic ???"},
        {"X-API-Key": KEY.upper()},
    ],
)
@pytest.mark.parametrize("path", ["/v1/predict", "/v1/model", "/metrics", "/docs", "/nowhere"])
def test_nothing_opens_without_it(headers: dict[str, str], path: str) -> None:
    with made_client(api_key=KEY) as client:
        answer = client.get(path, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "unauthorized"
    assert "WWW-Authenticate" in answer.headers
    assert KEY not in answer.text


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_an_orchestrator_needs_no_key(path: str) -> None:
    with made_client(api_key=KEY) as client:
        assert client.get(path).status_code == 200


def test_a_file_goes_before_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert read_key(None) is None
    monkeypatch.setenv(VARIABLE, KEY)
    assert read_key(None) == KEY
    (tmp_path / "key").write_text("another-key-in-a-file\n")
    assert read_key(tmp_path / "key") == "another-key-in-a-file"


@pytest.mark.parametrize("text", ["", "short", "ü" * 20, "two\nlines of a file."])
def test_a_key_that_protects_nothing_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(text)
    with pytest.raises(ConfigError, match="16 printable"):
        read_key(tmp_path / "key")


def test_a_missing_key_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_key(tmp_path / "none")
