"""Which frames of a video a network sees, as its weight file says it. Needs no torch."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from resnext.settings import Settings

MAX_CLIP_FRAMES = 1024


class VideoInput(Settings):
    """How clips are taken from a video.

    Attributes:
        frames: T, frames of a clip.
        stride: Every so many frames of the file one is taken.
        clips: Clips of a file whose class probabilities are averaged in evaluation, spread evenly
            over it.
        resize_px: Short side to which frames are resized before the crop.
    """

    frames: Annotated[int, Field(ge=1, le=MAX_CLIP_FRAMES)] = 16
    stride: Annotated[int, Field(ge=1, le=MAX_CLIP_FRAMES)] = 4
    clips: Annotated[int, Field(ge=1, le=100)] = 3
    resize_px: Annotated[int, Field(ge=1, le=8192)]
