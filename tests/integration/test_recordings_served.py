"""Networks for audio and video, trained, exported and served: the answers of `predict`."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import Command
from made_audio import write_tones
from made_videos import write_squares
from starlette.testclient import TestClient

from resnext.inference.load import load
from resnext.inference.signals import SignalPredictor, predict_signals
from resnext.inference.videos import predict_videos
from resnext.serving.app import create_app
from resnext.serving.limits import Limits
from resnext.serving.service import Service
from resnext.serving.source import ModelSource

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

pytestmark = pytest.mark.slow
TINY = ("--epochs", "1", "--threads", "1", "--quiet")
TRAINED = (0, 3)  # 3: one epoch has taught nothing


def _serve(model: Path, files: list[Path]) -> list[dict[str, object]]:
    """Send files in requests of one, and of all; return what both answers say."""
    service = Service(ModelSource(model, threads=1).open, Limits(), threads=1)
    with TestClient(create_app(service)) as client:
        single = [
            client.post("/v1/predict?top=2", files=[("signals", file.read_bytes())]).json()
            for file in files
        ]
        parts = [("signals", file.read_bytes()) for file in files]
        together = client.post("/v1/predict?top=2", files=parts).json()["signals"]
    assert together == [one["signals"][0] for one in single]
    return list(together)


@pytest.mark.parametrize("features", ["logmel", "waveform"])
def test_a_service_for_audio_answers_as_predict_does_bit_for_bit(
    tmp_path: Path, command: Command, features: str
) -> None:
    pytest.importorskip("soundfile")
    data, run = write_tones(tmp_path / "tones"), tmp_path / "run"
    words = ("train", "--data", f"audio:{data}", "--out", run, *TINY)
    assert command(*words, "--set", f"data.audio.features={features}")[0] in TRAINED
    assert command("export", run)[0] == 0
    files = sorted((data / "test").rglob("*.wav"))
    predictor = SignalPredictor(load(run / "model.onnx"))
    wanted = [row.answer for row in predict_signals(predictor, files, top=2)]
    assert all(one is not None for one in wanted)
    assert _serve(run / "model.onnx", files) == [one.as_dict() for one in wanted if one]


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_a_service_for_video_averages_clips_as_predict_does_bit_for_bit(
    tmp_path: Path, command: Command, suffix: str
) -> None:
    pytest.importorskip("av")
    data, run = write_squares(tmp_path / "squares", 4, 2, suffix=suffix), tmp_path / "run"
    words = ("train", "--data", f"video:{data}", "--out", run, "--model", "resnext_1-1_2x4d_cifar")
    small = ("data.frames=6", "data.frame_stride=3", "data.image_size_px=16", "data.clips=2")
    assert command(*words, *TINY, "--set", *small)[0] in TRAINED
    assert command("export", run)[0] == 0
    files = sorted((data / "val").rglob(f"*{suffix}"))
    predictor = SignalPredictor(load(run / "model.onnx"))
    wanted = [row.answer for row in predict_videos(predictor, files, top=2)]
    assert all(one is not None for one in wanted)
    assert _serve(run / "model.onnx", files) == [one.as_dict() for one in wanted if one]


def test_a_run_is_served_without_being_exported_by_hand(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("soundfile")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    data, run = write_tones(tmp_path / "tones", 4, 2), tmp_path / "run"
    assert command("train", "--data", f"audio:{data}", "--out", run, *TINY)[0] in TRAINED
    answers = _serve(run, sorted((data / "test").rglob("*.wav")))
    assert len(answers) == 4
