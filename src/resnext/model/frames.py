"""Frames of videos as images of a batch, for networks of two dimensions.

Legend: b videos, c channels, t frames, h x w positions.
"""

from __future__ import annotations

import torch


def split_frames(x_bcthw: torch.Tensor) -> torch.Tensor:
    """Put the frames of videos into the batch: b x c x t x h x w to b·t x c x h x w."""
    return x_bcthw.transpose(1, 2).flatten(0, 1)


def join_frames(x_bchw: torch.Tensor, num_videos: int) -> torch.Tensor:
    """Undo `split_frames` for maps of any size."""
    return torch.unflatten(x_bchw, 0, [num_videos, -1]).transpose(1, 2)
