"""Audio through the verbs: train, evaluate, predict, resume, report, data check."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import Command
from made_audio import write_tone, write_tones
from runs import assert_same_bits, finish, finish_killed_after_a_save

from resnext.data.augment.config import AugmentConfig
from resnext.data.config import DataConfig
from resnext.data.signals.augment_config import SignalAugmentConfig
from resnext.model.config import ResNeXtConfig
from resnext.recipes.signals import SignalFacts, default_signal_model, signals
from resnext.runs.config import RuntimeConfig, TrainConfig
from resnext.weights.source import open_weights

TINY = ResNeXtConfig(
    stem="imagenet", blocks_per_stage=(1, 1), cardinality=2, bottleneck_width=4,
    stage_widths=(16, 32), stem_width=8,
)  # fmt: skip
RATE = ("--lr", "4e-3", "--batch-size", "8", "--threads", "1")


def _config(folder: Path, features: str) -> TrainConfig:
    data = DataConfig(name="audio", root=write_tones(folder / "tones"))
    data = data.replace(audio=data.audio.replace(features=features))
    ndim = 2 if features == "logmel" else 1
    config = signals(TINY.replace(ndim=ndim), data, SignalFacts(22, 1_600, ndim, "audio"))
    vary = SignalAugmentConfig(shift=0.1, speed=0.1, gain_db=6, noise=0.1, time_mask=0.2)
    return config.replace(
        augment=AugmentConfig(mixup=0.2),
        signal_augment=vary.replace(frequency_mask=0.2 if ndim == 2 else 0.0),
        schedule=config.schedule.replace(epochs=6),
        runtime=RuntimeConfig(device="cpu", threads=1),
        batch_size=6,
        checkpoint_minutes=1e-4,
    )


@pytest.mark.slow
@pytest.mark.parametrize("features", ["logmel", "waveform"])
def test_a_run_killed_in_mid_epoch_and_resumed_ends_with_the_same_bits(
    tmp_path: Path, features: str
) -> None:
    config = _config(tmp_path, features)
    finish(config, tmp_path / "whole")
    finish_killed_after_a_save(config, tmp_path / "killed")
    assert_same_bits(tmp_path / "killed", tmp_path / "whole")


@pytest.mark.slow
def test_tones_are_learned_evaluated_and_predicted_by_the_recipe(
    tmp_path: Path, command: Command
) -> None:
    data = write_tones(tmp_path / "tones", 20)
    bad = data / "test" / "low" / "bad.wav"
    bad.write_bytes(b"no sound")
    run = tmp_path / "run"
    words = ("train", "--data", f"audio:{data}", "--out", run, "--epochs", "12", *RATE)
    figures = command.json(*words, "--quiet")
    assert figures["top1_error"] == 0
    assert figures["signal"]["sound"]["features"] == "logmel"

    card = open_weights(run).card
    assert card.signal is not None
    assert card.signal.sound is not None
    assert (card.signal.kind, card.signal.sound.rate_hz) == ("audio", 8_000)

    test = command.json("evaluate", run, "--split", "test")
    assert (test["num_images"], test["top1_error"]) == (12, 0)

    status, out, _ = command("predict", run, data / "test", "--json")
    rows = {Path(row["path"]): row for row in json.loads(out)}
    assert status == 1  # of the bad file
    assert "is not an audio file" in rows.pop(bad)["error"]
    assert len(rows) == 12
    assert all(row["predictions"][0]["class"] == path.parent.name for path, row in rows.items())

    other = write_tone(tmp_path / "other.flac", 300.0, 44_100, seconds=0.4)
    (answer,) = command.json("predict", run, other)
    assert answer["predictions"][0]["class"] == "low"

    report = (run / "report.html").read_text()
    assert "4 clips of 2 classes" in report
    assert "(channels x mel bands x windows)" in report


@pytest.mark.slow
def test_waveforms_are_learned_too(tmp_path: Path, command: Command) -> None:
    data = write_tones(tmp_path / "tones", 20)
    run = tmp_path / "run"
    words = ("train", "--data", f"audio:{data}", "--out", run, "--epochs", "12", *RATE, "--quiet")
    figures = command.json(*words, "--set", "data.audio.features=waveform")
    assert figures["top1_error"] <= 25  # guessing: 50
    assert open_weights(run).config.ndim == 1  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run on audio, and leave its files next to it."""
    folder = tmp_path_factory.mktemp("audio")
    finish(_config(folder, "logmel"), folder / "run")
    return folder / "run"


@pytest.mark.slow
def test_evaluation_prepares_other_data_as_in_training(
    tmp_path: Path, command: Command, trained: Path
) -> None:
    own = command.json("evaluate", trained, "--split", "test")
    other = write_tones(tmp_path / "tones", rate_hz=16_000)  # another rate and length
    found = command.json("evaluate", trained, "--data", f"audio:{other}", "--split", "test")
    assert found["signal"] == own["signal"]
    message = command.refusal("evaluate", trained, "--data", "digits")
    assert "the network takes audio of 1 x 64 x 21" in " ".join(message.split())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("train", "--data", "audio"), "--data audio:FOLDER"),
        (("train", "--data", "audio:nothing"), "is not a folder"),
        (("train", "--data", "audio:DATA", "--recipe", "cifar"), "signals have their own recipe"),
        (("train", "--data", "audio:DATA", "--image-size", "8"), "is for images"),
        (("train", "--data", "audio:DATA", "--set", "signal_augment.flip=true"), "not for audio"),
        (("train", "--data", "digits", "--set", "data.audio.num_mels=8"), "for name='audio' only"),
        (("evaluate", "RUN", "--ten-crop"), "signals are evaluated whole"),
    ],
)
def test_what_does_not_work_for_audio_is_one_message(
    command: Command, trained: Path, words: tuple[str, ...], message: str
) -> None:
    places = {"RUN": str(trained), "DATA": str(trained.parent / "tones")}
    for name, place in places.items():
        words = tuple(word.replace(name, place) if name in word else word for word in words)
    assert message in " ".join(command.refusal(*words).split())


def test_data_check_tells_the_front_end_and_lists_bad_files(
    tmp_path: Path, command: Command
) -> None:
    data = write_tones(tmp_path)
    text = command.prints("data", "check", f"audio:{data}")
    assert "36 clips; 2 classes" in text
    assert "0.2 s of mono at 8,000 Hz as logmel of 1 x 64 x 21" in text
    (data / "train" / "low" / "bad.wav").write_bytes(b"")
    status, out, _ = command("data", "check", f"audio:{data}")
    assert status == 1
    assert "bad.wav is empty" in out
    found = json.loads(command("data", "check", f"audio:{data}", "--json").out)
    assert found["signal"]["sound"]["num_mels"] == 64
    assert len(found["warnings"]) == 1


@pytest.mark.parametrize("ndim", [1, 2])
def test_the_default_networks_take_short_and_long_clips(ndim: int) -> None:
    from resnext.complexity.count import count

    model = default_signal_model(SignalFacts(100, 8_000, ndim, "audio")).replace(in_channels=1)
    for sides in ((64, 101), (64, 2)) if ndim == 2 else ((16_000,), (10,)):
        assert 0 < count(model, sides).macs < 3e8
