"""The training loader: augmented batches of one epoch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch

from resnext.data.augment.batch import BatchAugmenter
from resnext.data.augment.mix import apply_mix, draw_mix, is_mixing
from resnext.data.augment.transform import is_per_sample
from resnext.data.bad_files import BadFiles
from resnext.data.loading.batch import Batch
from resnext.data.loading.batches import (
    batch_span,
    check_shares,
    largest_share,
    num_steps,
    rank_span,
)
from resnext.data.loading.config import TrainLoaderConfig
from resnext.data.loading.feed import Feed
from resnext.data.loading.render import TrainRenderer
from resnext.data.split import DataInfo, Split
from resnext.errors import ConfigError, DataError


class TrainLoader:
    """Augmented batches of a training split; each image occurs once per epoch.

    Order and augmentation are functions of (seed, epoch, index), the same with any number
    of workers and processes.

    Attributes:
        num_steps: Batches per epoch.
        largest_share: Maximum images of one batch in one process.
    """

    def __init__(
        self,
        split: Split,
        info: DataInfo,
        config: TrainLoaderConfig,
        bad_files: BadFiles | None = None,
    ) -> None:
        """Prepare the loader; workers start with the first epoch.

        Args:
            split: The images.
            info: Their channels, size and statistics.
            config: Augmentation and batching.
            bad_files: Collects unreadable files, which are replaced by other images.

        Raises:
            ConfigError: The augmentation does not support the images, or a process would get no
                image of a batch.
        """
        augment, world_size = config.augment, config.world_size
        if augment.lighting and info.in_channels != 3:
            raise ConfigError(
                f"lighting={augment.lighting} varies colors, but the images of {info.name} have "
                f"{info.in_channels} channel; set lighting=0"
            )
        self.num_steps = num_steps(len(split), config.batch_size)
        self.largest_share = largest_share(len(split), config.batch_size, world_size)
        check_shares(len(split), config.batch_size, world_size)
        is_for_masks = augment.crop == "scaled" and info.targets == "mask"
        if augment.crop in ("scaled", "objects") and not is_for_masks:
            raise ConfigError(
                f"augment.crop={augment.crop} is for images with masks or boxes, and those of "
                f"{info.name} have none; take augment.crop=resized"
            )
        self._split, self._config, self._size_px = split, config, info.image_size_px
        self._labels_n = split.targets_n.to(config.device)
        self._augmenter = BatchAugmenter(augment, info, config.seed, config.device)
        self._stored_nhwc: torch.Tensor | None = None
        if split.stored_nhwc is not None and not is_per_sample(augment):
            self._stored_nhwc = self._augmenter.pad(split.stored_nhwc.to(config.device))
            config = replace(config, workers=0)
        renderer = TrainRenderer(split, info, config)
        self._feed = Feed(split, renderer, config, bad_files, keep_workers=True)

    def epoch(
        self, epoch: int, first_step: int = 0, image_size_px: int | None = None
    ) -> Iterator[Batch]:
        """Yield this process's batches of an epoch.

        Args:
            epoch: Number of the epoch.
            first_step: Earlier steps are skipped at no cost.
            image_size_px: Side of the images, by default that of the data set.

        Raises:
            DataError: Too many files are bad, or a worker died.
            DownloadError: A shard cannot be downloaded.
        """
        order = self._split.epoch_order(self._config.seed, epoch)
        size_px = image_size_px or self._size_px
        steps = range(first_step, self.num_steps)
        spans = [self._share(step) for step in steps]
        if self._stored_nhwc is not None:
            for step, span in zip(steps, spans, strict=True):
                indices_b = order[slice(*span)]
                images_bhwc = self._augmenter.crop(self._stored_nhwc, indices_b, indices_b, epoch)
                yield self._finish(images_bhwc, indices_b, indices_b, (epoch, step, size_px))
            return
        batches = self._feed.run(order, spans, epoch, size_px)
        for step, span, rendered in zip(steps, spans, batches, strict=True):
            if rendered.images_bhwc is None:
                raise DataError(
                    "no image file could be read; see the log for the files and reasons"
                )
            images_bhwc = rendered.images_bhwc.to(self._config.device, non_blocking=True)
            indices_b = order[slice(*span)]
            if self._augmenter.pad_px:
                padded = self._augmenter.pad(images_bhwc)
                numbers_b = torch.arange(len(indices_b))
                images_bhwc = self._augmenter.crop(padded, numbers_b, indices_b, epoch)
            batch = self._finish(images_bhwc, indices_b, rendered.shown_b, (epoch, step, size_px))
            if rendered.masks_bhw is not None:
                batch = self._with_masks(batch, rendered.masks_bhw, indices_b, epoch)
            yield batch

    def _with_masks(
        self, batch: Batch, masks_bhw: torch.Tensor, indices_b: torch.Tensor, epoch: int
    ) -> Batch:
        """Give a batch its masks as targets, mirrored like their images."""
        masks_bhw1 = masks_bhw.to(self._config.device, non_blocking=True).unsqueeze(3)
        masks_bhw = self._augmenter.flip(masks_bhw1, indices_b, epoch).squeeze(3)
        return replace(batch, targets_b=masks_bhw)

    def _batch(self, step: int) -> tuple[int, int]:
        """Return the span of a step's whole batch in the epoch's order."""
        return batch_span(step, len(self._split), self._config.batch_size)

    def _share(self, step: int) -> tuple[int, int]:
        """Return the span of this process's part of it."""
        return rank_span(*self._batch(step), self._config.rank, self._config.world_size)

    def _finish(
        self,
        images_bhwc: torch.Tensor,
        indices_b: torch.Tensor,
        shown_b: torch.Tensor,
        position: tuple[int, int, int],
    ) -> Batch:
        """Turn uint8 pixels into a batch; `position` is the epoch, the step and the size."""
        epoch, step, size_px = position
        augment = self._config.augment
        images_bchw = self._augmenter.finish(images_bhwc, indices_b, epoch, size_px)
        images_bchw = images_bchw.contiguous(memory_format=self._config.layout)
        shown_b = shown_b.to(self._config.device, non_blocking=True)
        targets_b = self._labels_n.index_select(0, shown_b)
        start, end = self._batch(step)
        if not is_mixing(augment):
            return Batch(images_bchw, targets_b, shown_b, global_size=end - start)
        # All processes draw the mixing of the whole batch, and each keeps that of its pairs.
        mix = draw_mix(augment, (self._config.seed, epoch, step), (end - start) // 2, size_px)
        first, last = (position - start for position in self._share(step))
        pairs = slice(first // 2, last // 2)
        images_bchw, other_b, kept_b = apply_mix(images_bchw, targets_b, mix.choose(pairs))
        return Batch(images_bchw, targets_b, shown_b, end - start, other_b, kept_b)
