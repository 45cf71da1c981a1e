"""What is accepted of a video file, checked before a frame is decoded."""

from __future__ import annotations

from pathlib import PurePath

from resnext.errors import DataError

MAX_FRAME_PIXELS = 2**24
"""Of one frame: 5,461 x 3,072 and more than 4K."""

MAX_FRAMES = 2**20
"""Of one file: more than nine hours at 30 a second."""

MAX_DECODED = 20_000
"""Frames decoded for one clip. Between two key frames there are usually at most some hundred."""

_DEMUXERS = {
    ".mp4": "mov",
    ".m4v": "mov",
    ".mov": "mov",
    ".avi": "avi",
    ".webm": "matroska",
    ".mkv": "matroska",
    ".gif": "gif",
}

VIDEO_SUFFIXES = tuple(_DEMUXERS)


def demuxer_of(path: PurePath) -> str:
    """Return FFmpeg's name of the format that a file has by its name.

    It is given to FFmpeg, which would otherwise guess by content; some of its formats (playlists,
    concatenations) open other files and addresses.

    Raises:
        DataError: It is not an accepted format.
    """
    name = _DEMUXERS.get(path.suffix.lower())
    if name is None:
        raise DataError(
            f"not a video by its name; accepted are files that end in {', '.join(VIDEO_SUFFIXES)}, "
            "and folders of image files"
        )
    return name


def check_frame(width: int, height: int) -> None:
    """Refuse a size that no frame can have, or that would cost too much.

    Raises:
        DataError: It is one of these.
    """
    if width < 1 or height < 1 or width * height > MAX_FRAME_PIXELS:
        raise DataError(
            f"frames of {width} x {height} pixels; accepted are 1 to {MAX_FRAME_PIXELS:,} pixels"
        )


def check_count(num_frames: int) -> None:
    """Refuse a video that is too long, or has no frame.

    Raises:
        DataError: It is one of these.
    """
    if not 1 <= num_frames <= MAX_FRAMES:
        raise DataError(f"{num_frames:,} frames; accepted are 1 to {MAX_FRAMES:,}")
