"""Videos through the verbs: train, resume, evaluate, predict, report, data check, weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import Command
from made_videos import write_squares
from runs import assert_same_bits, finish, finish_killed_after_a_save

from resnext.data.config import DataConfig
from resnext.model.config import ResNeXtConfig
from resnext.recipes.video import video
from resnext.runs.config import RuntimeConfig, TrainConfig
from resnext.weights.source import open_weights

pytest.importorskip("av")

TINY = ResNeXtConfig(
    stem="cifar", blocks_per_stage=(1, 1), cardinality=2, bottleneck_width=4, stage_widths=(16, 32),
    stem_width=8, ndim=3,
)  # fmt: skip
NAME = "resnext_1-1_2x4d_cifar"
NARROW = ("model.stage_widths=[16,32]", "model.stem_width=8")
SMALL = ("data.frames=6", "data.frame_stride=3", "data.image_size_px=16", "data.clips=2")


def _config(folder: Path, model: ResNeXtConfig = TINY) -> TrainConfig:
    data = DataConfig(
        name="video", root=write_squares(folder / "squares"), frames=4, frame_stride=3,
        image_size_px=16, clips=2, workers=2,
    )  # fmt: skip
    config = video(model, data, 16)
    return config.replace(
        schedule=config.schedule.replace(epochs=4),
        runtime=RuntimeConfig(device="cpu", threads=1),
        batch_size=4,
        checkpoint_minutes=1e-4,
    )


@pytest.mark.slow
@pytest.mark.parametrize("model", [TINY, TINY.replace(ndim=2, pool_time=True)])
def test_a_run_killed_in_mid_epoch_and_resumed_ends_with_the_same_bits(
    tmp_path: Path, model: ResNeXtConfig
) -> None:
    config = _config(tmp_path, model)
    finish(config, tmp_path / "whole")
    finish_killed_after_a_save(config, tmp_path / "killed")
    assert_same_bits(tmp_path / "killed", tmp_path / "whole")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run on squares that move, next to their folder."""
    from resnext.cli.main import main

    folder = tmp_path_factory.mktemp("videos")
    data = f"video:{write_squares(folder / 'squares', 24, 8)}"
    words = ("train", "--data", data, "--model", NAME, "--epochs", "20", "--lr", "4e-3")
    options = ("--set", *SMALL, *NARROW, "signal_augment.flip=false")
    assert main([*words, *options, "--out", str(folder / "run"), "--threads", "1", "--quiet"]) == 0
    return folder / "run"


@pytest.mark.slow
def test_motion_is_learned_and_the_weights_say_how_clips_are_taken(
    trained: Path, command: Command
) -> None:
    figures = json.loads((trained / "evaluation.json").read_text())
    assert figures["num_images"] == 16
    assert figures["top1_error"] <= 20  # guessing: 50; single frames do not tell the direction
    weights = open_weights(trained)
    signal = weights.card.signal
    assert signal is not None
    assert signal.sides == (6, 16, 16)
    assert signal.video is not None
    assert (signal.video.stride, signal.video.clips) == (3, 2)
    assert weights.config.ndim == 3  # type: ignore[union-attr]
    found = command.json("describe", f"{trained}/")
    assert found["input_size"] == [3, 6, 16, 16]
    assert found["macs"] == figures["macs"]


@pytest.mark.slow
def test_evaluation_and_prediction_agree(trained: Path, command: Command) -> None:
    figures = json.loads((trained / "evaluation.json").read_text())
    root = trained.parent / "squares"
    again = command.json("evaluate", trained, "--data", f"video:{root}")
    assert again["top1_error"] == figures["top1_error"]
    assert again["loss"] == pytest.approx(figures["loss"], rel=1e-5)
    rows = command.json("predict", trained, root / "val")
    assert len(rows) == 16
    wrong = sum(row["predictions"][0]["class"] != Path(row["path"]).parent.name for row in rows)
    assert 100 * wrong / 16 == pytest.approx(figures["top1_error"])
    bad = root.parent / "bad.mp4"
    bad.write_bytes(b"x" * 100)
    status, out, _ = command("predict", trained, bad, root / "val" / "down" / "0.mp4", "--json")
    assert status == 1
    assert "not a readable video" in json.loads(out)[0]["error"]
    assert json.loads(out)[1]["predictions"]


@pytest.mark.slow
def test_clips_are_what_an_export_and_features_are_made_with(
    trained: Path, tmp_path: Path, command: Command
) -> None:
    pytest.importorskip("onnxruntime")
    written = command.json("export", trained, "--out", tmp_path / "video.onnx")
    assert "'noun': 'videos'" in str(written)
    command.prints("features", trained, "--out", tmp_path / "features.parquet")


@pytest.mark.slow
def test_the_report_says_clips_and_shows_frames(trained: Path) -> None:
    report = (trained / "report.html").read_text()
    assert "16 videos of 2 classes" in report
    assert "2 clips of each, 3 x 6 x 16 x 16" in report


@pytest.mark.slow
@pytest.mark.parametrize("pooled", [False, True])
def test_weights_of_images_start_a_training_on_videos(
    tmp_path: Path, command: Command, pooled: bool
) -> None:
    start = ("train", "--data", "digits", "--model", NAME, "--epochs", "1", "--threads", "1")
    assert command(*start, "--out", tmp_path / "images", "--quiet").status in (0, 3)
    rgb = tmp_path / "rgb.safetensors"
    command.prints("convert", tmp_path / "images", rgb, "--in-channels", "3")
    data = f"video:{write_squares(tmp_path / 'squares', 4, 2)}"
    words = ("train", "--data", data, "--weights", rgb, "--epochs", "1", "--threads", "1")
    pool = ("model.ndim=2", "model.pool_time=true") if pooled else ()
    # status 3 is a warning: an epoch on eight videos is no better than guessing
    run = command(*words, "--set", *SMALL, *pool, "--out", tmp_path / "run", "--quiet")
    assert run.status in (0, 3), run.err
    found = open_weights(tmp_path / "run")
    assert found.config.ndim == (2 if pooled else 3)  # type: ignore[union-attr]
    assert found.card.signal is not None
    assert found.card.signal.mean == open_weights(rgb).card.mean
    again = command.json("evaluate", tmp_path / "run")
    assert again["num_images"] == 4


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("export", "RUN", "--input", "pixels"), "input='pixels' is for images"),
        (("evaluate", "RUN", "--data", "digits"), "the network takes a video of"),
        (("evaluate", "RUN", "--ten-crop"), "signals are evaluated whole"),
        (("train", "--data", "video:DATA", "--model", "vgg16"), "is for images"),
        (("train", "--data", "video:DATA", "--set", "signal_augment.crop=0.5"), "not for video"),
        (("train", "--data", "video:DATA", "--set", "model.pool_time=true"), "set ndim=2"),
        (("train", "--data", "video"), "--data video:FOLDER"),
        (("train", "--data", "video:nothing"), "is not a folder"),
    ],
)
def test_what_does_not_work_for_videos_is_one_message(
    tmp_path: Path, command: Command, trained: Path, words: tuple[str, ...], message: str
) -> None:
    places = {"RUN": trained, "DATA": trained.parent / "squares", "OUT": tmp_path / "out"}
    for name, place in places.items():
        words = tuple(word.replace(name, str(place)) if name in word else word for word in words)
    assert message in " ".join(command.refusal(*words).split())


def test_data_check_tells_clips(tmp_path: Path, command: Command) -> None:
    root = write_squares(tmp_path / "squares", 2, 1, num_frames=6)
    text = command.prints("data", "check", f"video:{root}")
    assert "6 videos; 2 classes" in text
    assert "clips of 3 x 16 x 112 x 112" in text
