"""Networks for text and video in the commands after training: export, study, features, service."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import Command
from made_texts import question, write_questions
from made_videos import write_squares


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a short run on questions, and leave its files next to it."""
    from resnext.cli.main import main

    folder = tmp_path_factory.mktemp("texts")
    data = f"text:{write_questions(folder / 'questions')}"
    words = ["train", "--data", data, "--epochs", "2", "--out", str(folder / "run"), "--quiet"]
    assert main([*words, "--threads", "1", "--set", "data.min_count=1"]) == 0
    return folder / "run"


@pytest.mark.slow
@pytest.mark.parametrize("to", ["onnx", "openvino", "pt2"])
def test_a_network_for_text_is_exported_with_its_embedding(
    tmp_path: Path, command: Command, trained: Path, to: str
) -> None:
    file = tmp_path / f"texts.{'xml' if to == 'openvino' else to}"
    written = command.json("export", trained, "--to", to, "--out", file)
    assert written["parity"]["top1_agreement"] == 100.0
    data = f"text:{trained.parent / 'questions'}"
    wanted = command.json("evaluate", trained, "--quiet")
    found = command.json("evaluate", file, "--data", data, "--quiet")
    assert found["top1_error"] == wanted["top1_error"]
    text = question(7)[0]
    rows = [command.json("predict", one, "--text", text)[0] for one in (trained, file)]
    assert rows[0]["predictions"][0]["class"] == rows[1]["predictions"][0]["class"]


@pytest.mark.slow
def test_torchscript_is_refused_for_text(tmp_path: Path, command: Command, trained: Path) -> None:
    file = tmp_path / "texts.torchscript"
    message = command.refusal("export", trained, "--to", "torchscript", "--out", file)
    assert "networks for text are exported to onnx, openvino or pt2" in " ".join(message.split())


@pytest.mark.slow
def test_texts_are_served(
    tmp_path: Path, command: Command, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from starlette.testclient import TestClient

    from resnext.serving.app import create_app
    from resnext.serving.limits import Limits
    from resnext.serving.service import Service
    from resnext.serving.source import ModelSource

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    texts = [question(number)[0] for number in (1, 2)]
    service = Service(ModelSource(trained, threads=1).open, Limits())
    with TestClient(create_app(service)) as client:
        answer = client.post("/v1/predict", json={"signals": texts})
        empty = client.post("/v1/predict", json={"signals": ["\n"]})
        numbers = client.post("/v1/predict", json={"signals": [[1, 2]]})
    assert answer.status_code == 200, answer.text
    found = [one["predictions"][0] for one in answer.json()["signals"]]
    rows = command.json("predict", trained, "--text", *texts)
    for guess, row in zip(found, rows, strict=True):
        assert guess["class"] == row["predictions"][0]["class"]
        wanted = row["predictions"][0]["probability"]
        assert guess["probability"] == pytest.approx(wanted, abs=1e-4)
    for refused in (empty, numbers):
        assert refused.status_code == 400
        assert "no text" in refused.json()["error"]["message"]


@pytest.mark.slow
def test_features_and_studies_take_texts(tmp_path: Path, command: Command, trained: Path) -> None:
    written = command.json("features", trained, "--out", tmp_path / "t.parquet", "--split", "val")
    assert written["num_images"] == 20
    data = f"text:{trained.parent / 'questions'}"
    words = ("cardinality", "--data", data, "--seeds", "0", "--set", "schedule.epochs=1")
    shown = command.json("study", "show", *words, "data.min_count=1")
    assert [one["model"]["cardinality"] for one in shown["designs"]] == [1, 4, 16]
    assert {one["model"]["ndim"] for one in shown["designs"]} == {1}
    assert all(one["model"]["embedding"] for one in shown["designs"])


@pytest.mark.slow
def test_a_network_for_videos_is_exported_and_gives_features(
    tmp_path: Path, command: Command
) -> None:
    folder = write_squares(tmp_path / "squares")
    run = tmp_path / "run"
    words = ("--model", "resnext_1-1_2x4d_cifar", "--threads", "1", "--epochs", "1", "--quiet")
    small = ("--set", "data.frames=4", "data.image_size_px=16")
    command("train", "--data", f"video:{folder}", "--out", run, *words, *small)
    written = command.json("export", run, "--out", tmp_path / "v.onnx")
    assert written["parity"]["top1_agreement"] == 100.0
    found = command.json("features", run, "--out", tmp_path / "v.parquet")
    assert found["dimension"] > 0
