"""Clips of videos: which frames, decoded, cropped and mirrored alike in all of them.

Legend: t frames, h x w pixels, c colours, s side of the crop.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from resnext.data.decode.video import VideoFile, read_frames
from resnext.data.decode.video_limits import WorkLimit
from resnext.errors import DataError
from resnext.model.signal import SignalInput


@dataclass(frozen=True)
class ClipPlan:
    """Where a clip lies in its video.

    Attributes:
        start: Number of its first frame.
        down: Position of the crop between top (0) and bottom (1).
        across: Likewise between left and right.
        is_mirrored: Whether left and right are exchanged.
    """

    start: int
    down: float = 0.5
    across: float = 0.5
    is_mirrored: bool = False


def last_start(num_frames: int, signal: SignalInput) -> int:
    """Return the last frame at which a whole clip can begin; 0 in a shorter video."""
    assert signal.video is not None
    return max(num_frames - 1 - (signal.video.frames - 1) * signal.video.stride, 0)


def even_starts(num_frames: int, signal: SignalInput) -> list[int]:
    """Return the first frames of the clips of an evaluation, in the middle of equal parts."""
    assert signal.video is not None
    last, num = last_start(num_frames, signal), signal.video.clips
    return [round(last * (number + 0.5) / num) for number in range(num)]


def read_clip(
    source: VideoFile, plan: ClipPlan, signal: SignalInput, work: WorkLimit | None = None
) -> torch.Tensor:
    """Decode a clip.

    Args:
        source: The video.
        plan: Where the clip lies in it. Behind its end, the last frame is repeated.
        signal: Frames, stride, sizes.
        work: Bounds what is decoded for it.

    Returns:
        uint8, c x t x s x s.

    Raises:
        DataError: The file cannot be read; the message names it, unless only its content is given.
    """
    video = signal.video
    assert video is not None
    numbers = [plan.start + step * video.stride for step in range(video.frames)]
    try:
        frames_thwc = read_frames(source, numbers, max(video.resize_px, signal.size), work)
    except DataError as error:
        if isinstance(source, bytes):
            raise
        raise DataError(f"{source}: {error}") from None
    height, width = frames_thwc.shape[1:3]
    top = round((height - signal.size) * plan.down)
    left = round((width - signal.size) * plan.across)
    crop_tssc = frames_thwc[:, top : top + signal.size, left : left + signal.size]
    if plan.is_mirrored:
        crop_tssc = crop_tssc[:, :, ::-1]
    return torch.from_numpy(np.ascontiguousarray(crop_tssc.transpose(3, 0, 1, 2)))
