"""Loaders of videos, with the interface of those of images.

Which clip of a video is taken, and how it is cropped and mirrored, is a function of seed, epoch and
index. Threads decode the batches ahead: FFmpeg works outside Python's lock.
Legend: b videos, v clips of each, c colours, t frames, s side.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

import torch

from resnext.data.loading.batch import Batch
from resnext.data.loading.batches import (
    batch_span,
    check_shares,
    largest_share,
    num_steps,
    rank_span,
)
from resnext.data.loading.config import LoaderConfig, TrainLoaderConfig
from resnext.data.random import Draw, below, derive, uniform
from resnext.data.signals.augment_config import SignalAugmentConfig
from resnext.data.signals.clips import ClipPlan, even_starts, last_start, read_clip
from resnext.data.signals.loaders import (
    SignalEvalLoader,
    check_mixing,
    mix_pairs,
    normalise_signals,
)
from resnext.data.signals.split import SignalSplit
from resnext.data.signals.video_split import VideoSplit
from resnext.data.split import Split
from resnext.errors import ConfigError
from resnext.model.signal import SignalInput

_AHEAD = 2
"""Batches that are decoded while the network works."""

Wanted = tuple[int, ClipPlan]


class VideoTrainLoader:
    """Batches of one random clip of each video; each video comes once an epoch.

    Attributes:
        num_steps: Batches of an epoch.
        largest_share: Most videos of one batch in one process.
    """

    def __init__(
        self,
        split: VideoSplit,
        signal: SignalInput,
        augment: SignalAugmentConfig,
        config: TrainLoaderConfig,
    ) -> None:
        """Prepare the loader.

        Args:
            split: The videos.
            signal: How clips are taken and normalised.
            augment: Of it, only `flip` is for videos: left and right.
            config: How batches are made.

        Raises:
            ConfigError: The augmentation does not suit videos, or a process would get none of some
                batch.
        """
        world_size = config.world_size
        self.num_steps = num_steps(len(split), config.batch_size)
        self.largest_share = largest_share(len(split), config.batch_size, world_size)
        check_shares(len(split), config.batch_size, world_size, "videos")
        check_mixing(config, signal)
        _check_augment(augment)
        self._split, self._signal, self._config = split, signal, config
        self._flip = augment.flip

    def epoch(
        self, epoch: int, first_step: int = 0, image_size_px: int | None = None
    ) -> Iterator[Batch]:
        """Yield this process's batches of an epoch.

        Args:
            epoch: Number of the epoch.
            first_step: Steps before it are left out and cost nothing.
            image_size_px: Ignored: videos have one size.

        Raises:
            DataError: A video cannot be decoded; the message names it.
        """
        del image_size_px
        config, split = self._config, self._split
        order_n = split.epoch_order(config.seed, epoch)
        steps = range(first_step, self.num_steps)
        spans = [batch_span(step, len(split), config.batch_size) for step in steps]
        shares = [rank_span(*whole, config.rank, config.world_size) for whole in spans]
        parts = [order_n[slice(*share)] for share in shares]
        decoded = _decode(split, (self._plans(part, epoch) for part in parts), self._signal, config)
        for step, whole, share, indices_b, clips in zip(
            steps, spans, shares, parts, decoded, strict=True
        ):
            batch = Batch(
                normalise_signals(clips.to(config.device), self._signal),
                split.targets_n[indices_b].to(config.device),
                indices_b.to(config.device),
                global_size=whole[1] - whole[0],
            )
            yield mix_pairs(batch, config, self._signal.size, (epoch, step), whole, share)

    def _plans(self, indices_b: torch.Tensor, epoch: int) -> list[Wanted]:
        seed = self._config.seed
        window = derive(seed, Draw.WINDOW, epoch)
        down_b = uniform(derive(seed, Draw.CROP_ROW, epoch), indices_b)
        across_b = uniform(derive(seed, Draw.CROP_COLUMN, epoch), indices_b)
        is_mirrored_b = uniform(derive(seed, Draw.FLIP, epoch), indices_b) < 0.5
        plans = []
        for row, index in enumerate(indices_b.tolist()):
            most = last_start(int(self._split.frames_n[index]), self._signal)
            start = int(below(most + 1, window, indices_b[row : row + 1]))
            mirrored = self._flip and bool(is_mirrored_b[row])
            plans.append(
                (index, ClipPlan(start, float(down_b[row]), float(across_b[row]), mirrored))
            )
        return plans


class VideoEvalLoader:
    """Batches of the clips of each video, in order.

    Every process takes every world_size-th video, so that together they see each exactly once.

    Attributes:
        num_views: Clips of each video.
        size_px: Side of the crop.
        resize_px: Short side of a frame before the crop.
    """

    def __init__(self, split: VideoSplit, signal: SignalInput, config: LoaderConfig) -> None:
        assert signal.video is not None
        self.num_views = signal.video.clips
        self.size_px = signal.size
        self.resize_px: int | None = signal.video.resize_px
        self._split, self._signal, self._config = split, signal, config
        self._indices = split.evaluation_order()[config.rank :: config.world_size]

    def __len__(self) -> int:
        return -(-len(self._indices) // self._config.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        """Yield the batches of this process.

        Raises:
            DataError: A video cannot be decoded; the message names it.
        """
        config, split = self._config, self._split
        parts = torch.split(self._indices, config.batch_size) if len(self._indices) else ()
        decoded = _decode(split, map(self._plans, parts), self._signal, config)
        for indices_b, clips in zip(parts, decoded, strict=True):
            yield Batch(
                normalise_signals(clips.to(config.device), self._signal),
                split.targets_n[indices_b].to(config.device),
                indices_b.to(config.device),
                len(indices_b),
                num_views=self.num_views,
            )

    def _plans(self, indices_b: torch.Tensor) -> list[Wanted]:
        return [
            (index, ClipPlan(start))
            for index in indices_b.tolist()
            for start in even_starts(int(self._split.frames_n[index]), self._signal)
        ]


def signal_eval_loader(
    split: Split, signal: SignalInput, config: LoaderConfig
) -> SignalEvalLoader | VideoEvalLoader:
    """Return the loader of a split of signals as they are."""
    if isinstance(split, VideoSplit):
        return VideoEvalLoader(split, signal, config)
    assert isinstance(split, SignalSplit)  # the split of all other sets of signals
    return SignalEvalLoader(split, signal, config)


def _decode(
    split: VideoSplit,
    batches: Iterable[list[Wanted]],
    signal: SignalInput,
    config: LoaderConfig,
) -> Iterator[torch.Tensor]:
    """Yield the clips of batch after batch, uint8, b·v x c x t x s x s."""

    def read(wanted: Wanted) -> torch.Tensor:
        index, plan = wanted
        return read_clip(split.path(index), plan, signal)

    source = iter(batches)
    with ThreadPoolExecutor(max(config.workers, 1), thread_name_prefix="decode") as pool:
        ahead: deque[list[Future[torch.Tensor]]] = deque()
        try:
            while True:
                for plans in islice(source, _AHEAD + 1 - len(ahead)):
                    ahead.append([pool.submit(read, wanted) for wanted in plans])
                if not ahead:
                    return
                yield torch.stack([future.result() for future in ahead.popleft()])
        finally:  # the reader may stop early: do not decode what nobody wants
            for futures in ahead:
                for future in futures:
                    future.cancel()


def _check_augment(augment: SignalAugmentConfig) -> None:
    """Refuse what would have no effect on videos."""
    plain = SignalAugmentConfig(flip=augment.flip)
    for name in SignalAugmentConfig.model_fields:
        if getattr(augment, name) != getattr(plain, name):
            raise ConfigError(
                f"signal_augment.{name}={getattr(augment, name)} is not for video, whose clips are "
                "cropped at random and varied by signal_augment.flip and augment.mixup"
            )
