"""The order of the frames of a folder."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from made_videos import numbered
from PIL import Image

from resnext.data.decode.frame_folder import frame_names
from resnext.data.decode.video import read_frames


def _named(folder: Path, names: list[str]) -> Path:
    folder.mkdir()
    for name in random.Random(0).sample(names, len(names)):
        (folder / name).touch()
    return folder


@pytest.mark.parametrize(
    "names",
    [
        [f"{number}.png" for number in range(12)],
        [f"frame_{number}.jpg" for number in (8, 9, 10, 99, 100, 1000)],
        ["a1b2.png", "a1b10.png", "a2b1.png", "a10b1.png"],
        [*(f"{number:04d}.jpg" for number in range(9_998, 10_000)), "10000.jpg", "10001.jpeg"],
        ["frame-2.png", "frame.png", "frame1.png", "frame10.png"],
    ],
)
def test_numbers_count_by_their_value(tmp_path: Path, names: list[str]) -> None:
    assert frame_names(_named(tmp_path / "x", names)) == names


@pytest.mark.parametrize(
    "names",
    [
        [f"{number:04d}.{'jpeg' if number % 3 else 'png'}" for number in range(0, 3000, 7)],
        [f"s{number // 9:02d} é-{number:03d}_{number % 4}.png" for number in range(300)],
        [f"{number:02x}.png" for number in range(256)],  # 0a comes before 10
        [f"{number / 8:.3f}.png" for number in range(80)],
        ["frame.png", "frame01.png", "frame02.png", "frame-01.png", "frame_01.JPG"],
    ],
)
def test_names_with_leading_zeros_keep_the_order_of_their_characters(
    tmp_path: Path, names: list[str]
) -> None:
    assert frame_names(_named(tmp_path / "x", names)) == sorted(names)


def test_frames_are_read_in_that_order(tmp_path: Path) -> None:
    frames = numbered(12)
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(tmp_path / f"{number}.png")
    assert (read_frames(tmp_path, [1, 2, 9, 10], 32) == frames[[1, 2, 9, 10]]).all()
