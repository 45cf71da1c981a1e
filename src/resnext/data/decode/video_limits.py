"""What is accepted of a video file, checked before a frame is decoded."""

from __future__ import annotations

from pathlib import PurePath

from resnext.data.decode.signal_errors import BeyondLimitError, OtherFormatError
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

_QUICKTIME = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
_SIGNATURES = {b"GIF87a": "gif", b"GIF89a": "gif", b"\x1a\x45\xdf\xa3": "matroska"}

_BYTES_PER_PIXEL = 64
"""Of a frame while a video is decoded: some twenty frames that others refer to, 3 bytes each."""


class WorkLimit:
    """Bounds the pixels that are decoded for the clips of one video, in all their frames."""

    def __init__(self, max_pixels: int) -> None:
        """Start with nothing decoded."""
        self._max_pixels = max_pixels
        self._left = max_pixels

    def spend(self, num_pixels: int) -> None:
        """Count a decoded frame.

        Raises:
            BeyondLimitError: The frames have more pixels than accepted.
        """
        self._left -= num_pixels
        if self._left < 0:
            raise BeyondLimitError(
                f"its clips need more than {self._max_pixels:,} decoded pixels; give smaller "
                "frames, or more key frames"
            )


def decoding_bytes(width: int, height: int, short_side_px: int, num_frames: int) -> int:
    """Return the memory in bytes that decoding some frames takes at most.

    Args:
        width: Of a frame of the file.
        height: Likewise.
        short_side_px: Frames are resized to it.
        num_frames: Frames that are kept.
    """
    share = short_side_px / min(width, height)
    kept = 2 * 3 * num_frames * int((width * share + 1) * (height * share + 1))
    return _BYTES_PER_PIXEL * width * height + kept


def demuxer_of_content(data: bytes) -> str:
    """Return FFmpeg's name of the format that the content of a file has by its first bytes.

    Raises:
        OtherFormatError: It is not an accepted format.
    """
    if data[4:8] in _QUICKTIME:
        return "mov"
    if data[:4] == b"RIFF" and data[8:11] == b"AVI":
        return "avi"
    name = _SIGNATURES.get(data[:6]) or _SIGNATURES.get(data[:4])
    if name is None:
        raise OtherFormatError("not a video; accepted are MP4, AVI, WebM and GIF")
    return name


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


def check_pixels(width: int, height: int, max_pixels: int) -> None:
    """Refuse frames of more pixels than a limit below the one of `check_frame`.

    Raises:
        BeyondLimitError: They have more.
    """
    if width * height > max_pixels:
        raise BeyondLimitError(
            f"frames of {width} x {height} pixels; accepted are at most {max_pixels:,} pixels"
        )


def check_frame(width: int, height: int) -> None:
    """Refuse a size that no frame can have, or that would cost too much.

    Raises:
        DataError: It is one of these.
    """
    if width < 1 or height < 1 or width * height > MAX_FRAME_PIXELS:
        kind = DataError if width < 1 or height < 1 else BeyondLimitError
        raise kind(
            f"frames of {width} x {height} pixels; accepted are 1 to {MAX_FRAME_PIXELS:,} pixels"
        )


def check_count(num_frames: int) -> None:
    """Refuse a video that is too long, or has no frame.

    Raises:
        DataError: It is one of these.
    """
    if not 1 <= num_frames <= MAX_FRAMES:
        kind = DataError if num_frames < 1 else BeyondLimitError
        raise kind(f"{num_frames:,} frames; accepted are 1 to {MAX_FRAMES:,}")


def resized(width: int, height: int, short_side_px: int) -> tuple[int, int]:
    """Return width and height with a given short side, in proportion, within limits.

    Raises:
        DataError: It would be beyond them.
    """
    scale = short_side_px / min(width, height)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    check_frame(*size)
    return size
