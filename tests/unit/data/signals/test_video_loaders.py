from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from made_videos import moving_square, numbered, write_frames, write_squares

from resnext.data.augment.config import AugmentConfig
from resnext.data.config import DataConfig
from resnext.data.loading.config import LoaderConfig, TrainLoaderConfig
from resnext.data.sets.load import load_data
from resnext.data.signals.augment_config import SignalAugmentConfig
from resnext.data.signals.clips import ClipPlan, even_starts, last_start, read_clip
from resnext.data.signals.video_loaders import VideoEvalLoader, VideoTrainLoader
from resnext.data.signals.video_split import VideoSplit, draw_strip
from resnext.errors import ConfigError, DataError
from resnext.model.signal import SignalInput
from resnext.model.video import VideoInput

CPU = torch.device("cpu")
SIGNAL = SignalInput(
    kind="video", size=16, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25),
    video=VideoInput(frames=4, stride=2, clips=3, resize_px=20),
)  # fmt: skip
FLIP = SignalAugmentConfig(flip=True)


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> VideoSplit:
    """Return ten folders of frames of different lengths."""
    root = tmp_path_factory.mktemp("frames")
    names = []
    counts = [5 + number for number in range(10)]
    for number, num in enumerate(counts):
        write_frames(root / str(number), moving_square(num, is_down=number % 2 == 0, seed=number))
        names.append(str(number))
    return VideoSplit(root, tuple(names), torch.tensor(counts), torch.arange(10) % 2, SIGNAL)


def _loader(split: VideoSplit, **changes: Any) -> VideoTrainLoader:
    settings: dict[str, Any] = {
        "augment": AugmentConfig(),
        "seed": 3,
        "batch_size": 4,
        "device": CPU,
    } | changes
    return VideoTrainLoader(split, SIGNAL, FLIP, TrainLoaderConfig(**settings))


def test_clips_of_an_evaluation_are_spread_over_the_video() -> None:
    # a clip spans 7 frames; the last start of 27 is 20, and thirds of it have these middles
    assert last_start(27, SIGNAL) == 20
    assert even_starts(27, SIGNAL) == [3, 10, 17]
    assert even_starts(7, SIGNAL) == [0, 0, 0]
    assert last_start(2, SIGNAL) == 0


def test_a_clip_has_its_frames_and_one_crop_for_all(tmp_path: Path) -> None:
    write_frames(tmp_path / "a", numbered(20, side=20))
    clip = read_clip(tmp_path / "a", ClipPlan(3, 0.0, 1.0), SIGNAL)
    assert clip.shape == (3, 4, 16, 16)
    assert clip[0, :, 0, 0].tolist() == [6, 10, 14, 18]  # frame i has the brightness 2 i
    ramp = numbered(20, side=20)
    ramp[...] = torch.arange(20).repeat(20, 1).numpy()[None, :, :, None]  # column number
    write_frames(tmp_path / "b", ramp)
    right = read_clip(tmp_path / "b", ClipPlan(0, 0.0, 1.0), SIGNAL)
    assert right[0, :, 0].tolist() == [list(range(4, 20))] * 4
    mirrored = read_clip(tmp_path / "b", ClipPlan(0, 0.0, 1.0, is_mirrored=True), SIGNAL)
    assert mirrored.equal(right.flip(-1))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.mp4: no such file"):
        read_clip(tmp_path / "none.mp4", ClipPlan(0), SIGNAL)


def test_an_epoch_sees_every_video_once_whatever_the_threads(split: VideoSplit) -> None:
    one = list(_loader(split, workers=1).epoch(2))
    many = list(_loader(split, workers=4).epoch(2))
    assert sorted(torch.cat([batch.indices_b for batch in one]).tolist()) == list(range(10))
    for first, second in zip(one, many, strict=True):
        assert first.images_bchw.equal(second.images_bchw)
        assert first.targets_b.equal(split.targets_n[first.indices_b])
    assert one[0].images_bchw.shape[1:] == (3, 4, 16, 16)


def test_clips_depend_on_epoch_and_not_on_the_first_step_or_the_processes(
    split: VideoSplit,
) -> None:
    whole = list(_loader(split).epoch(2))
    rest = list(_loader(split).epoch(2, first_step=1))
    assert rest[0].images_bchw.equal(whole[1].images_bchw)
    parts = [list(_loader(split, rank=rank, world_size=2).epoch(2)) for rank in range(2)]
    joined = torch.cat([part[0].images_bchw for part in parts])
    assert joined.equal(whole[0].images_bchw)
    other = next(iter(_loader(split).epoch(3)))
    assert not other.images_bchw.equal(whole[0].images_bchw)


def test_an_evaluation_has_the_clips_of_a_video_together(split: VideoSplit) -> None:
    loader = VideoEvalLoader(split, SIGNAL, LoaderConfig(batch_size=4, device=CPU))
    batches = list(loader)
    assert len(loader) == len(batches) == 3
    assert batches[0].num_views == 3
    assert batches[0].images_bchw.shape == (12, 3, 4, 16, 16)
    starts = even_starts(int(split.frames_n[1]), SIGNAL)
    clip = read_clip(split.path(1), ClipPlan(starts[2]), SIGNAL).float() / 255
    torch.testing.assert_close(batches[0].images_bchw[5], (clip - 0.5) / 0.25)


def test_mixing_and_what_is_for_other_signals(split: VideoSplit) -> None:
    batch = next(iter(_loader(split, augment=AugmentConfig(mixup=0.5)).epoch(0)))
    assert batch.kept_b is not None
    with pytest.raises(ConfigError, match="varies images"):
        _loader(split, augment=AugmentConfig(flip=True))
    config = TrainLoaderConfig(augment=AugmentConfig(), seed=0, batch_size=4, device=CPU)
    with pytest.raises(ConfigError, match=r"signal_augment\.jitter=0\.1 is not for video"):
        VideoTrainLoader(split, SIGNAL, SignalAugmentConfig(jitter=0.1), config)


def test_a_strip_shows_frames_in_the_order_of_time(split: VideoSplit) -> None:
    clip = torch.arange(4, dtype=torch.uint8)[None, :, None, None].expand(3, 4, 16, 16)
    image = draw_strip(clip.contiguous())
    assert image.size == (32, 32)
    assert [image.getpixel(at)[0] for at in ((0, 0), (20, 0), (0, 20), (20, 20))] == [0, 1, 2, 3]  # type: ignore[index]
    assert split.pictures(3).open(0).size == (32, 32)


def test_a_folder_is_listed_with_its_splits_and_bad_files_are_left_out(tmp_path: Path) -> None:
    root = write_squares(tmp_path / "set", 3, 2, num_frames=10)
    (root / "train" / "down" / "bad.mp4").write_bytes(b"x" * 100)
    (root / "train" / "down" / "notes.txt").write_text("x")
    write_frames(root / "train" / "right" / "frames", numbered(8))
    data = load_data(DataConfig(name="video", root=root, image_size_px=16))
    assert (len(data.train), len(data.val)) == (7, 4)
    assert data.info.classes == ("down", "right")
    assert isinstance(data.train, VideoSplit)
    assert data.train.names[-1] == "right/frames"
    assert data.train.frames_n.tolist() == [10] * 6 + [8]
    joined = data.train.join([data.val])  # type: ignore[list-item]
    assert joined.path(0) == data.train.path(0)
    assert joined.path(7) == data.val.path(0)


def test_with_train_and_test_only_a_share_of_training_validates_in_every_command(
    tmp_path: Path,
) -> None:
    root = write_squares(tmp_path / "set", 10, 2, num_frames=4)
    (root / "val").rename(root / "test")
    trained = load_data(DataConfig(name="video", root=root))
    assert trained.test is not None
    assert (len(trained.train), len(trained.val), len(trained.test)) == (18, 2, 4)
    evaluated = load_data(DataConfig(name="video", root=root, val_fraction=1.0))
    for split in ("train", "val"):
        assert getattr(evaluated, split).names == getattr(trained, split).names
    (root / "train").rename(tmp_path / "train")
    only_test = load_data(DataConfig(name="video", root=root, val_fraction=1.0))
    assert (len(only_test.train), len(only_test.val)) == (0, 4)
    with pytest.raises(DataError, match="nothing to train on, only test"):
        load_data(DataConfig(name="video", root=root))


def test_a_folder_without_splits_is_divided_and_what_is_no_set_is_refused(tmp_path: Path) -> None:
    root = write_squares(tmp_path / "set", 10, 0, num_frames=4)
    data = load_data(DataConfig(name="video", root=root / "train"))
    assert (len(data.train), len(data.val)) == (18, 2)
    (tmp_path / "none" / "a").mkdir(parents=True)
    (tmp_path / "none" / "b").mkdir()
    with pytest.raises(DataError, match="no videos in class folders"):
        load_data(DataConfig(name="video", root=tmp_path / "none"))
    with pytest.raises(ConfigError, match="--data video:FOLDER"):
        DataConfig(name="video")
    with pytest.raises(ConfigError, match="frames is for name='video'"):
        DataConfig(frames=3)
