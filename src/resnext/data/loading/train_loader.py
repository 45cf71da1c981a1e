"""The training loader: augmented batches of one epoch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch

from resnext.data.augment.finish import Finisher
from resnext.data.augment.mix import PairMix, apply_mix, draw_mix, is_mixing
from resnext.data.augment.transform import is_per_sample
from resnext.data.augment.windows import mean_color
from resnext.data.bad_files import BadFiles
from resnext.data.config import AugmentConfig
from resnext.data.decode.depth import AssumptionLog
from resnext.data.loading.batch import Batch, memory_format
from resnext.data.loading.batches import batch_span, largest_share, num_steps, rank_span
from resnext.data.loading.render import Images, Rendered, Request, TrainRenderer, check_fetched
from resnext.data.loading.workers import WorkerPool
from resnext.data.random import epoch_order
from resnext.data.shards.order import order_of_epoch, shards_ahead
from resnext.data.shards.split import ShardSplit
from resnext.data.split import ArraySplit, DataInfo, Split
from resnext.errors import ConfigError, DataError


def needs_workers(split: Split, augment: AugmentConfig) -> bool:
    """Tell whether worker processes would help: for files, or work image by image."""
    return not isinstance(split, ArraySplit) or is_per_sample(augment)


class TrainLoader:
    """Augmented batches of a training split; each image comes once an epoch.

    Order and augmentation are functions of (seed, epoch, index), the same with any number
    of workers and processes.

    Attributes:
        num_steps: Batches of an epoch.
        largest_share: Most images of one batch in one process.
    """

    def __init__(
        self,
        split: Split,
        info: DataInfo,
        augment: AugmentConfig,
        *,
        batch_size: int,
        seed: int,
        image_size_px: int,
        device: torch.device,
        workers: int = 0,
        rank: int = 0,
        world_size: int = 1,
        bad_files: BadFiles | None = None,
        channels_last: bool = True,
    ) -> None:
        """Prepare the loader; workers start with the first epoch.

        Args:
            split: The images.
            info: Their channels and statistics.
            augment: How they are varied.
            batch_size: Images of one step in all processes together.
            seed: Decides order and augmentation.
            image_size_px: Side of the batches' images.
            device: Where batches go; images in memory are kept there.
            workers: Processes that render; 0 renders in this one. Images in memory that
                are augmented in batches need none and use none.
            rank: This process.
            world_size: Number of processes.
            bad_files: Gets the files that cannot be read.
            channels_last: Hand over images with the channels innermost in memory.

        Raises:
            ConfigError: The augmentation does not suit the images, or a process would get
                no image of some batch.
        """
        if augment.lighting and info.in_channels != 3:
            raise ConfigError(
                f"lighting={augment.lighting} varies colors, but the images of {info.name} have "
                f"{info.in_channels} channel; set lighting=0"
            )
        self.num_steps = num_steps(len(split), batch_size)
        self.largest_share = largest_share(len(split), batch_size, world_size)
        if len(split) // self.num_steps < 2 * world_size - 1:
            raise ConfigError(
                f"batches of {len(split) // self.num_steps} images are too small for "
                f"{world_size} processes; use fewer processes or a larger batch_size"
            )
        self._split, self._augment = split, augment
        self._batch_size, self._seed = batch_size, seed
        self._size_px, self._device = image_size_px, device
        self._rank, self._world_size = rank, world_size
        self._layout = memory_format(channels_last=channels_last)
        self._bad_files = BadFiles(len(split)) if bad_files is None else bad_files
        self._assumptions = AssumptionLog()
        self._labels_n = split.labels_n.to(device)
        self._finisher = Finisher(augment, info, seed, device)
        self._stored_nhwc: torch.Tensor | None = None
        if isinstance(split, ArraySplit) and not is_per_sample(augment):
            self._stored_nhwc = self._finisher.pad(split.images_nhwc.to(device))
        renderer = TrainRenderer(
            Images(split, info.in_channels),
            augment,
            seed,
            mean_color(info.mean),
            keep_size=isinstance(split, ArraySplit),
            exact=info.exact,
        )
        used = workers if self._stored_nhwc is None else 0
        self._pool = WorkerPool(renderer, used, pin=device.type == "cuda", keep=True)

    def epoch(
        self, epoch: int, first_step: int = 0, image_size_px: int | None = None
    ) -> Iterator[Batch]:
        """Yield this process's batches of an epoch.

        Args:
            epoch: Number of the epoch.
            first_step: Steps before it are left out and cost nothing.
            image_size_px: Side of the images, by default the loader's.

        Raises:
            DataError: Too many files are bad, or a worker died.
            DownloadError: A shard cannot be fetched.
        """
        order = self._order(epoch)
        size_px = image_size_px or self._size_px
        steps = range(first_step, self.num_steps)
        shares = ((step, order[slice(*self._share(step))]) for step in steps)
        if self._stored_nhwc is not None:
            for step, indices_b in shares:
                images_bhwc = self._finisher.crop(self._stored_nhwc, indices_b, indices_b, epoch)
                yield self._finish(images_bhwc, indices_b, indices_b, (epoch, step, size_px))
            return
        requests = (
            Request(tuple(order[slice(*self._share(step))].tolist()), epoch, size_px, soon)
            for step, soon in zip(steps, self._soon(order, steps), strict=True)
        )
        for (step, indices_b), rendered in zip(shares, self._pool.run(requests), strict=True):
            images_bhwc = self._received(rendered)
            shown_b = rendered.shown_b
            if self._finisher.pad_px:
                padded = self._finisher.pad(images_bhwc)
                numbers_b = torch.arange(len(indices_b))
                images_bhwc = self._finisher.crop(padded, numbers_b, indices_b, epoch)
            yield self._finish(images_bhwc, indices_b, shown_b, (epoch, step, size_px))

    def _order(self, epoch: int) -> torch.Tensor:
        if isinstance(self._split, ShardSplit):
            return order_of_epoch(self._split, self._seed, epoch)
        return epoch_order(len(self._split), self._seed, epoch)

    def _soon(self, order: torch.Tensor, steps: range) -> Iterable[tuple[int, ...]]:
        """Return the shards to fetch ahead at each step."""
        if not isinstance(self._split, ShardSplit):
            return [()] * len(steps)
        return shards_ahead(self._split, order, [self._share(step) for step in steps])

    def _share(self, step: int) -> tuple[int, int]:
        start, end = batch_span(step, len(self._split), self._batch_size)
        return rank_span(start, end, self._rank, self._world_size)

    def _received(self, rendered: Rendered) -> torch.Tensor:
        """Note the bad files and send the pixels to the device."""
        check_fetched(rendered)
        for path, reason in rendered.bad:
            self._bad_files.record(path, reason)
        self._assumptions.report(*rendered.assumed)
        if rendered.images_bhwc is None:
            raise DataError("no image file could be read; the log names them and the reasons")
        return rendered.images_bhwc.to(self._device, non_blocking=True)

    def _finish(
        self,
        images_bhwc: torch.Tensor,
        indices_b: torch.Tensor,
        shown_b: torch.Tensor,
        place: tuple[int, int, int],
    ) -> Batch:
        """Turn uint8 pixels into a batch; `place` is the epoch, the step and the size."""
        epoch, step, size_px = place
        images_bchw = self._finisher.finish(images_bhwc, indices_b, epoch, size_px)
        images_bchw = images_bchw.contiguous(memory_format=self._layout)
        shown_b = shown_b.to(self._device, non_blocking=True)
        labels_b = self._labels_n.index_select(0, shown_b)
        start, end = batch_span(step, len(self._split), self._batch_size)
        if not is_mixing(self._augment):
            return Batch(images_bchw, labels_b, shown_b, global_size=end - start)
        mix = self._mix(epoch, step, size_px)
        images_bchw, other_b, kept_b = apply_mix(images_bchw, labels_b, mix)
        return Batch(images_bchw, labels_b, shown_b, end - start, other_b, kept_b)

    def _mix(self, epoch: int, step: int, size_px: int) -> PairMix:
        """Draw the mixing of the whole batch and keep this process's pairs."""
        start, end = batch_span(step, len(self._split), self._batch_size)
        first, last = (position - start for position in self._share(step))
        mix = draw_mix(self._augment, (self._seed, epoch, step), (end - start) // 2, size_px)
        pairs = slice(first // 2, last // 2)
        return PairMix(mix.kept_p[pairs], mix.boxes_p4[pairs], mix.is_cut_p[pairs])
