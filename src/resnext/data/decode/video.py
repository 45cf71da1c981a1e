"""Frames of a video file, or of a folder of image files.

Only the frames between the key frame before the first wanted one and the last wanted one are
decoded, and of those before the first wanted one only the ones that others refer to.

Legend: t frames, h x w pixels, c colours.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from resnext.data.decode.frame_folder import Frames, frame_names, read_image_files
from resnext.data.decode.image import decode
from resnext.data.decode.video_limits import (
    MAX_DECODED,
    MAX_FRAME_PIXELS,
    MAX_FRAMES,
    WorkLimit,
    check_count,
    check_frame,
    demuxer_of,
    demuxer_of_content,
    resized,
)
from resnext.errors import DataError
from resnext.extras import needed_by

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

VideoFile = Path | bytes
"""A file or a folder of image files, or the content of a file."""

_DEFAULT_RATE = Fraction(25)


@dataclass(frozen=True)
class VideoFacts:
    """What the header of a video says.

    Attributes:
        num_frames: Frames, as its duration and rate give them.
        width: Pixels of a frame.
        height: Likewise.
    """

    num_frames: int
    width: int
    height: int


def probe_video(source: VideoFile) -> VideoFacts:
    """Read the header of a video, without decoding a frame.

    Raises:
        ConfigError: PyAV is not installed.
        DataError: It is not what is accepted; the message is only the reason.
    """
    if isinstance(source, Path) and source.is_dir():
        names = frame_names(source)
        width, height = decode(source / names[0]).size
        return VideoFacts(len(names), width, height)
    with _opened(source) as (container, stream):
        return _facts(container, stream)


def read_frames(
    source: VideoFile,
    numbers: Sequence[int],
    short_side_px: int,
    work: WorkLimit | None = None,
) -> Frames:
    """Read some frames.

    Args:
        source: A file or folder, or the content of a file.
        numbers: Of the frames, ascending; those behind the end are the last frame.
        short_side_px: Frames are resized to it in proportion.
        work: Bounds what is decoded for them.

    Returns:
        One frame for each number.

    Raises:
        ConfigError: PyAV is not installed.
        DataError: It is not what is accepted or damaged; the message is only the reason.
    """
    if isinstance(source, Path) and source.is_dir():
        return read_image_files(source, numbers, short_side_px)
    with _opened(source) as (container, stream):
        facts = _facts(container, stream)
        width, height = resized(facts.width, facts.height, short_side_px)
        frames: list[Frames] = []
        for frame in _wanted(container, stream, numbers, work):
            check_frame(frame.width, frame.height)
            small = frame.reformat(width=width, height=height, format="rgb24", interpolation="AREA")
            pixels_hwc = small.to_ndarray().astype(np.uint8, copy=False)
            frames.append(np.rot90(pixels_hwc, frame.rotation // 90))  # as the camera was held
    return np.stack(frames)


@contextmanager
def _opened(source: VideoFile) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a file; FFmpeg's errors within become reasons."""
    named = f"{source}: " if isinstance(source, Path) else ""
    with needed_by(f"{named}reading video"):
        import av
    try:
        file, demuxer = _file_and_format(source)
        with av.open(file, format=demuxer, options={"protocol_whitelist": "file"}) as container:
            if not container.streams.video:
                raise DataError("it contains no pictures")
            stream = container.streams.video[0]
            if stream.codec_context is None:
                raise DataError("its codec is unknown")
            stream.codec_context.options = {"max_pixels": str(MAX_FRAME_PIXELS)}
            stream.codec_context.thread_count = 1  # clips are decoded side by side
            yield container, stream
    except (av.FFmpegError, OSError, ValueError, OverflowError) as error:
        if isinstance(error, DataError):
            raise
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise DataError(f"not a readable video: {reason}") from None


def _file_and_format(source: VideoFile) -> tuple[str | BytesIO, str]:
    if isinstance(source, bytes):
        return BytesIO(source), demuxer_of_content(source)
    demuxer = demuxer_of(source)
    if not source.is_file():
        raise DataError("no such file" if not source.exists() else "not a regular file")
    return str(source), demuxer


def _facts(container: InputContainer, stream: VideoStream) -> VideoFacts:
    check_frame(stream.width, stream.height)
    num = stream.frames
    if num < 1 and stream.duration is not None and stream.time_base is not None:
        num = round(stream.duration * stream.time_base * _rate(stream))
    elif num < 1 and container.duration is not None:
        num = round(Fraction(container.duration, 1_000_000) * _rate(stream))
    elif num < 1:
        num = _count_packets(container, stream)
    check_count(num)
    return VideoFacts(num, stream.width, stream.height)


def _count_packets(container: InputContainer, stream: VideoStream) -> int:
    """Count the frames of a file whose header does not say it, without decoding them."""
    num = 0
    for packet in container.demux(stream):
        num += packet.size > 0
        if num > MAX_FRAMES:
            break
    container.seek(0)
    return num


def _rate(stream: VideoStream) -> Fraction:
    rate = stream.average_rate or stream.guessed_rate or _DEFAULT_RATE
    return rate if 0 < rate < 1000 else _DEFAULT_RATE  # some files claim 90,000


def _wanted(
    container: InputContainer,
    stream: VideoStream,
    numbers: Sequence[int],
    work: WorkLimit | None,
) -> Iterator[VideoFrame]:
    """Yield the wanted frames, each as soon as it is decoded."""
    interval_s = 1 / float(_rate(stream))
    start_s = _start_s(stream)
    times_s = [start_s + number * interval_s for number in numbers]
    if numbers[0] > 0 and stream.time_base is not None:
        container.seek(math.floor(times_s[0] / stream.time_base), stream=stream)
    context: Any = stream.codec_context
    waiting = iter(times_s)
    time_s = next(waiting)
    last: VideoFrame | None = None
    for num, frame in enumerate(_decoded(container, stream, times_s[0] - 2 * interval_s, context)):
        if work is not None:
            work.spend(frame.width * frame.height)
        if num > MAX_DECODED:
            raise DataError(f"more than {MAX_DECODED:,} frames between two key frames")
        last = frame
        own_s = times_s[0] if frame.time is None else frame.time
        while own_s > time_s - interval_s / 2:
            yield frame
            following = next(waiting, None)
            if following is None:
                return
            time_s = following
    if last is None:
        raise DataError("no frame can be decoded")
    for _ in (time_s, *waiting):
        yield last


def _decoded(
    container: InputContainer, stream: VideoStream, from_s: float, context: Any
) -> Iterator[VideoFrame]:
    """Decode; frames before a time only if others refer to them."""
    for packet in container.demux(stream):
        pts, unit = packet.pts, packet.time_base
        is_before = pts is not None and unit is not None and float(pts * unit) < from_s
        context.skip_frame = "NONREF" if is_before else "DEFAULT"
        yield from packet.decode()


def _start_s(stream: VideoStream) -> float:
    if stream.start_time is None or stream.time_base is None:
        return 0.0
    return float(stream.start_time * stream.time_base)
