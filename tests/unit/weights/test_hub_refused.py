"""What a repository on the Hub may not say or hold."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from resnext.errors import CheckpointError, DownloadError
from resnext.weights import hub_card
from resnext.weights.archive import MAX_WEIGHTS_BYTES
from resnext.weights.hub_card import card_from_hub
from resnext.weights.hub_file import hub_file


def card_of(folder: Path, text: str | bytes) -> object:
    path = folder / "config.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return card_from_hub(path)


@pytest.mark.parametrize(
    "values",
    [
        {"input_size": [3, 10**9, 10**9]},
        {"input_size": [3, 224, -224]},
        {"input_size": [3, 224, 0]},
        {"input_size": [3, 224, 224.5]},
        {"input_size": [3, 224, True]},
        {"input_size": "224"},
        {"input_size": {"-1": 224}},
        {"input_size": 224},
        {"input_size": [1] * 100},
        {"input_size": [3, 224, 224], "crop_pct": 1e-300},
        {"input_size": [3, 224, 224], "crop_pct": -1},
        {"input_size": [3, 224, 224], "crop_pct": "0.875"},
        {"input_size": [3, 224, 224], "crop_pct": [0.875]},
        {"input_size": [3, 8000, 8000], "crop_pct": 0.1},
        {"mean": [0.5] * 1000},
        {"mean": 0.5},
        {"mean": ["0.5"] * 3},
        {"mean": "0.5"},
        {"std": [0.0] * 3},
        {"std": [-1.0] * 3},
        {"std": [1e300] * 3},
        {"label_names": "abc"},
        {"label_names": {"0": "a"}},
        {"label_names": [1, 2]},
        {"label_names": ["x" * 5000]},
        {"license": ["mit"]},
        {"license": "x" * 5000},
        {"pretrained_cfg": [1]},
        {"pretrained_cfg": None},
        {"pretrained_cfg": {"input_size": [3, 10**9, 10**9]}},
    ],
    ids=lambda values: json.dumps(values)[:60],
)
def test_a_hub_config_out_of_range_is_refused(tmp_path: Path, values: dict[str, object]) -> None:
    with pytest.raises(CheckpointError, match=r"config\.json: does not describe weights") as caught:
        card_of(tmp_path, json.dumps(values))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    "text",
    [
        "[" * 10**6,
        "[]",
        "null",
        "",
        b"\xff",
        '{"mean": [NaN, NaN, NaN]}',
        '{"std": [1e999, 1, 1]}',
        '{"input_size": [3, 224, ' + "9" * 5000 + "]}",
    ],
    ids=lambda text: str(text[:12]),
)
def test_a_hub_config_that_is_no_json_object_is_refused(tmp_path: Path, text: str | bytes) -> None:
    with pytest.raises(CheckpointError, match=r"config\.json: does not describe weights"):
        card_of(tmp_path, text)


def test_a_hub_config_larger_than_any_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_card, "MAX_HUB_CONFIG_BYTES", 100)
    with pytest.raises(CheckpointError, match="larger than the 100 bytes"):
        card_of(tmp_path, "{}" + " " * 100)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CheckpointError, match="not a regular file"):
        card_from_hub(tmp_path / "pipe")


@pytest.mark.parametrize(
    ("repository", "filename", "revision"),
    [
        ("a/b", "../../model.safetensors", None),
        ("a/b", "/etc/passwd", None),
        ("a/b", "model.safetensors", "../../../../escaped"),
        ("a/b", "model.safetensors", "/tmp/escaped"),
        ("a/b", "model.safetensors", "a\0b"),
        ("../b", "model.safetensors", None),
        ("a/b/../../c", "model.safetensors", None),
        ("a", "model.safetensors", None),
    ],
)
def test_names_that_lead_out_of_the_hubs_cache_are_refused_before_anything_is_asked(
    monkeypatch: pytest.MonkeyPatch, repository: str, filename: str, revision: str | None
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the Hub is asked")

    for name in ("hf_hub_download", "get_hf_file_metadata"):
        monkeypatch.setattr(f"huggingface_hub.{name}", refuse)
    with pytest.raises(DownloadError):
        hub_file(repository, filename, revision)


def test_a_file_larger_than_any_weights_is_not_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[object] = []

    def fetch(*asked: object, **_: object) -> str:
        fetched.append(asked)
        return str(tmp_path)

    def answer(size: int | None) -> None:
        monkeypatch.setattr(
            "huggingface_hub.get_hf_file_metadata", lambda _: SimpleNamespace(size=size)
        )

    monkeypatch.setattr("huggingface_hub.hf_hub_download", fetch)
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_, **__: None)
    answer(MAX_WEIGHTS_BYTES + 1)
    with pytest.raises(DownloadError, match=r"a/b: model.safetensors has [\d,]+ bytes, more than"):
        hub_file("a/b", "model.safetensors")
    assert not fetched
    for size in (MAX_WEIGHTS_BYTES, None):
        answer(size)
        assert hub_file("a/b", "model.safetensors") == tmp_path
    assert len(fetched) == 2
