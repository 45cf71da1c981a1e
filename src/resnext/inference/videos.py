"""Answers for videos in files and folders.

Legend: v clips of a video, c colours, x frames and the sides, k classes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from resnext.data.decode.video import VideoFile, probe_video
from resnext.data.decode.video_limits import WorkLimit
from resnext.data.sets.videos import find_videos
from resnext.data.signals.clips import ClipPlan, even_starts, read_clip
from resnext.errors import DataError
from resnext.inference.files import Prediction
from resnext.inference.signals import SignalPredictor
from resnext.model.signal import SignalInput
from resnext.tasks.classification.task import average_views


def predict_videos(
    predictor: SignalPredictor, paths: Iterable[Path], *, top: int = 5
) -> Iterator[Prediction]:
    """Predict video after video, in their order, bad files included.

    The probabilities of several clips of each are averaged, as in evaluation.

    Args:
        predictor: A network for videos.
        paths: Files; folders that contain files; or folders of image files, each a video.
        top: Number of classes to name, at most all.
    """
    numbers = count()
    for path in paths:
        for video in _videos(path):
            try:
                logits_k = average_logits(predictor, clips_of(video, predictor.signal))
            except DataError as error:
                reason = str(error).removeprefix(f"{video}: ")
                yield Prediction(next(numbers), video, error=reason)
            else:
                yield Prediction(next(numbers), video, predictor.answer(logits_k, top))


def _videos(path: Path) -> Iterator[Path]:
    """Yield the videos of a folder, or a file or folder of frames itself."""
    names = find_videos(path)[0] if path.is_dir() else []
    yield from (path / name for name in names) if names else (path,)


def clips_of(source: VideoFile, signal: SignalInput, work: WorkLimit | None = None) -> torch.Tensor:
    """Decode the clips of a video: uint8, v x c x frames x side x side.

    Args:
        source: The video.
        signal: How clips are taken from it.
        work: Bounds what is decoded for all of them.

    Raises:
        DataError: It cannot be read.
    """
    starts = even_starts(probe_video(source).num_frames, signal)
    return torch.stack([read_clip(source, ClipPlan(start), signal, work) for start in starts])


def average_logits(predictor: SignalPredictor, clips_vcx: torch.Tensor) -> npt.NDArray[np.float32]:
    """Return the logits of a video: the logarithm of its clips' mean probabilities."""
    logits_vk = torch.from_numpy(predictor.logits(clips_vcx))
    logits_k: npt.NDArray[np.float32] = average_views(logits_vk, len(clips_vcx))[0].numpy()
    return logits_k
