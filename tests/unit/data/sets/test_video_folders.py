"""Which files and folders are videos."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_signal_networks import untrained
from made_videos import numbered, write_frames, write_video
from PIL import Image

from resnext.data.config import DataConfig
from resnext.data.decode.video import probe_video
from resnext.data.sets.load import load_data
from resnext.data.sets.videos import find_videos
from resnext.errors import DataError
from resnext.inference.signals import SignalPredictor
from resnext.inference.videos import predict_videos
from resnext.model.signal import SignalInput
from resnext.model.video import VideoInput

SIGNAL = SignalInput(
    kind="video", size=16, mean=(0.5,) * 3, std=(0.25,) * 3,
    video=VideoInput(frames=2, stride=1, clips=1, resize_px=18),
)  # fmt: skip


def _gif(path: Path, num: int = 3) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = [Image.fromarray(frame) for frame in numbered(num)]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    return path


def _image(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(numbered(1)[0]).save(path)
    return path


def test_gifs_in_a_folder_are_videos_and_not_the_frames_of_one(tmp_path: Path) -> None:
    pytest.importorskip("av")
    for name in ("left/caml0/0", "left/caml0/1", "right/camr0/0", "right/camr1/1"):
        _gif(tmp_path / f"{name}.gif")
    names = ["left/caml0/0.gif", "left/caml0/1.gif", "right/camr0/0.gif", "right/camr1/1.gif"]
    assert find_videos(tmp_path) == (names, {})
    config = DataConfig(name="video", root=tmp_path, val_fraction=1.0)
    assert len(load_data(config).val) == 4
    predictor = SignalPredictor(untrained(SIGNAL))
    for given in (tmp_path, tmp_path / "left" / "caml0"):
        rows = list(predict_videos(predictor, [given]))
        assert [row.path for row in rows] == [
            tmp_path / name for name in names if (tmp_path / name).is_relative_to(given)
        ]
        assert not any(row.error for row in rows)


def test_an_image_beside_a_video_is_no_frame(tmp_path: Path) -> None:
    _image(tmp_path / "a" / "thumb.jpg")
    (tmp_path / "a" / "clip.MP4").write_bytes(b"x")
    _image(tmp_path / "b" / "0.png")
    (tmp_path / "b" / "._hidden.mp4").write_bytes(b"x")
    (tmp_path / "b" / "inner.mp4").mkdir()
    assert find_videos(tmp_path) == (["a/clip.MP4", "b"], {".jpg": 1})
    with pytest.raises(DataError, match="0 frames"):
        probe_video(tmp_path / "a")
    assert probe_video(tmp_path / "b").num_frames == 1


def test_a_given_folder_of_frames_is_one_video(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "frames", numbered(4))
    rows = list(predict_videos(SignalPredictor(untrained(SIGNAL)), [folder, tmp_path]))
    assert [row.path for row in rows] == [folder, folder]


def test_videos_of_all_kinds_are_found_beside_each_other(tmp_path: Path) -> None:
    write_video(tmp_path / "c" / "0.mp4", numbered(3))
    _gif(tmp_path / "c" / "1.gif")
    write_frames(tmp_path / "c" / "2", numbered(3))
    (tmp_path / "c" / "notes.txt").write_text("x")
    assert find_videos(tmp_path) == (["c/0.mp4", "c/1.gif", "c/2"], {".txt": 1})


@pytest.mark.parametrize("split", ["", "train/"])
def test_folders_of_frames_may_have_the_same_names_in_each_class(
    tmp_path: Path, split: str
) -> None:
    for number, name in enumerate(("left/001", "left/002", "right/001", "right/002")):
        write_frames(tmp_path / f"{split}{name}", numbered(3 + number))
    if split:  # a split may have one class
        write_frames(tmp_path / "test/left/001", numbered(3))
        write_frames(tmp_path / "test/left/002", numbered(3))
    data = load_data(DataConfig(name="video", root=tmp_path, val_fraction=0.5))
    assert data.info.classes == ("left", "right")
    assert (len(data.train), len(data.val)) == (2, 2)
    assert (data.test is None) == (not split)


@pytest.mark.parametrize("names", [("train", "test"), ("a/0", "a/1")])
def test_other_shared_folders_of_videos_are_unclear(tmp_path: Path, names: tuple[str, ...]) -> None:
    for label in ("left", "right"):
        for name in names:
            write_frames(tmp_path / label / name, numbered(2))
            write_frames(tmp_path / label / "more" / name, numbered(2))
    with pytest.raises(DataError, match="unclear which are the classes"):
        load_data(DataConfig(name="video", root=tmp_path))
