"""Small videos of a square that moves, written with PyAV, and as folders of frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

CODECS = {
    ".mp4": ("mpeg4", "yuv420p"),
    ".avi": ("mpeg4", "yuv420p"),
    ".webm": ("libvpx", "yuv420p"),
    ".gif": ("gif", "rgb8"),
}


def moving_square(
    num: int, *, is_down: bool, side: int = 32, seed: int = 0
) -> npt.NDArray[np.uint8]:
    """Return t x h x w x c: a white square that moves down, or to the right."""
    draw = np.random.default_rng(seed)
    frames = np.full((num, side, side, 3), 40, dtype=np.uint8)
    across, speed = draw.integers(4, side - 12), draw.uniform(0.8, 1.2)
    for number, frame in enumerate(frames):
        along = int(number * speed * (side - 8) / num) % (side - 8)
        top, left = (along, across) if is_down else (across, along)
        frame[top : top + 8, left : left + 8] = 230
    return frames


def numbered(num: int, side: int = 32) -> npt.NDArray[np.uint8]:
    """Return t x h x w x c: frame i is grey of brightness 2 i."""
    grey = (2 * np.arange(num, dtype=np.uint8))[:, None, None, None]
    return np.broadcast_to(grey, (num, side, side, 3)).copy()


def write_video(
    path: Path, frames: npt.NDArray[np.uint8], *, rate: int = 25, gop: int = 12, rotation: int = 0
) -> Path:
    """Write a video file; its suffix decides the format. Skips the test without PyAV."""
    av = pytest.importorskip("av")
    codec, pixels = CODECS[path.suffix]
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = pixels
        stream.gop_size = gop
        if rotation:
            stream.set_display_rotation(rotation)
        if codec != "gif":
            stream.bit_rate = 4_000_000
        for frame in frames:
            image = av.VideoFrame.from_ndarray(frame, format="rgb24")
            container.mux(stream.encode(image.reformat(format=pixels)))
        container.mux(stream.encode())
    return path


def write_frames(folder: Path, frames: npt.NDArray[np.uint8]) -> Path:
    """Write a folder of PNG files."""
    folder.mkdir(parents=True)
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f"{number:04d}.png")
    return folder


def write_squares(
    root: Path, num_train: int = 8, num_val: int = 4, *, num_frames: int = 24, suffix: str = ".mp4"
) -> Path:
    """Write train/ and val/ with the classes down and right, and return the folder."""
    seed = 0
    for split, num in (("train", num_train), ("val", num_val)):
        for label in ("down", "right"):
            for number in range(num):
                seed += 1
                frames = moving_square(num_frames, is_down=label == "down", seed=seed)
                write_video(root / split / label / f"{number}{suffix}", frames)
    return root
