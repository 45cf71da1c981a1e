"""Loaders of images with boxes, whose sizes differ. Legend: b images, m objects, h x w pixels."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from resnext.data.bad_files import BadFiles
from resnext.data.loading.batch import Batch
from resnext.data.loading.batches import (
    batch_span,
    check_shares,
    largest_share,
    num_steps,
    rank_span,
)
from resnext.data.loading.box_render import BoxEvalRenderer, BoxTrainRenderer
from resnext.data.loading.config import LoaderConfig, TrainLoaderConfig
from resnext.data.loading.feed import Feed
from resnext.data.loading.render import Rendered
from resnext.data.random import Draw, bits, derive
from resnext.data.split import DataInfo, Split
from resnext.errors import DataError


class BoxTrainLoader:
    """Batches of varied images with their boxes; each image occurs once per epoch.

    Order and variation are functions of (seed, epoch, index), the same with any number of workers
    and processes. Wide images are in batches of their own, and so are tall ones, so that little is
    padded; one batch may hold both.

    Attributes:
        num_steps: Batches per epoch.
        largest_share: Maximum images of one batch in one process.
    """

    def __init__(
        self,
        split: Split,
        info: DataInfo,
        config: TrainLoaderConfig,
        max_ratio: float,
        bad_files: BadFiles | None = None,
        *,
        with_masks: bool = False,
    ) -> None:
        """Prepare the loader; workers start with the first epoch.

        Args:
            split: The images.
            info: Their channels and size.
            config: Augmentation and batching.
            max_ratio: Largest long side of an image, in units of the short side.
            bad_files: Collects unreadable files, which are replaced by other images.
            with_masks: Also return the masks of the objects.

        Raises:
            ConfigError: The augmentation does not suit boxes, or a process would get no image.
        """
        self.num_steps = num_steps(len(split), config.batch_size)
        self.largest_share = largest_share(len(split), config.batch_size, config.world_size)
        check_shares(len(split), config.batch_size, config.world_size)
        shapes_n2 = split.shapes_n2
        assert shapes_n2 is not None  # splits of boxes know them
        self._is_tall_n = shapes_n2[:, 0] > shapes_n2[:, 1]
        self._split, self._config, self._size_px = split, config, info.image_size_px
        renderer = BoxTrainRenderer(split, info, config, max_ratio, with_masks=with_masks)
        self._feed = Feed(split, renderer, config, bad_files, keep_workers=True)

    def epoch(
        self, epoch: int, first_step: int = 0, image_size_px: int | None = None
    ) -> Iterator[Batch]:
        """Yield this process's batches of an epoch.

        Args:
            epoch: Number of the epoch.
            first_step: Earlier steps are skipped at no cost.
            image_size_px: Short side of the images, by default that of the data set.

        Raises:
            DataError: Too many files are bad, or a worker died.
        """
        config = self._config
        order_n, spans = self._plan(epoch)
        spans = spans[first_step:]
        shares = [rank_span(*span, config.rank, config.world_size) for span in spans]
        size_px = image_size_px or self._size_px
        answers = self._feed.run(order_n, shares, epoch, size_px)
        for (start, end), rendered in zip(spans, answers, strict=True):
            if rendered.images_bhwc is None:
                raise DataError(
                    "no image file could be read; see the log for the files and reasons"
                )
            yield as_batch(rendered, config, end - start)

    def _plan(self, epoch: int) -> tuple[torch.Tensor, list[tuple[int, int]]]:
        """Return the order of an epoch, and the span of each batch in it."""
        num, seed = len(self._split), self._config.seed
        order_n = self._split.epoch_order(seed, epoch)
        order_n = order_n[torch.sort(self._is_tall_n[order_n].int(), stable=True).indices]
        steps = torch.arange(self.num_steps)
        batches = [
            order_n[slice(*batch_span(int(step), num, self._config.batch_size))]
            for step in torch.argsort(bits(derive(seed, Draw.BATCH, epoch), steps))
        ]
        ends = torch.tensor([len(batch) for batch in batches]).cumsum(0).tolist()
        spans = [(end - len(batch), end) for end, batch in zip(ends, batches, strict=True)]
        return torch.cat(batches), spans


class BoxEvalLoader:
    """Images at their own size with their boxes, one by one: padding would change what is found.

    Every process takes every world_size-th image.

    Attributes:
        num_views: One view of each image.
        size_px: Short side to which the network resizes, for the record.
        resize_px: None: images are not resized before the network.
    """

    num_views = 1
    resize_px = None

    def __init__(
        self,
        split: Split,
        info: DataInfo,
        config: LoaderConfig,
        max_ratio: float,
        bad_files: BadFiles | None = None,
        *,
        with_outlines: bool = False,
    ) -> None:
        """Prepare the loader.

        Args:
            split: The images.
            info: Their channels and size.
            config: Device, workers and processes.
            max_ratio: Largest long side of an image, in units of the short side.
            bad_files: Collects unreadable files, which are left out.
            with_outlines: Also return the outlines of the objects.
        """
        self.size_px = info.image_size_px
        self._config = config
        self._indices = torch.arange(len(split))[config.rank :: config.world_size]
        images = split.reader(info.in_channels)
        renderer = BoxEvalRenderer(images, max_ratio, with_outlines=with_outlines)
        self._feed = Feed(split, renderer, config, bad_files, keep_workers=False)

    def __len__(self) -> int:
        return len(self._indices)

    def __iter__(self) -> Iterator[Batch]:
        """Yield the images of this process.

        Raises:
            DataError: Too many files are bad, or a worker died.
        """
        spans = [(number, number + 1) for number in range(len(self._indices))]
        for rendered in self._feed.run(self._indices, spans, 0, self.size_px):
            if rendered.images_bhwc is not None:
                yield as_batch(rendered, self._config, 1)


def as_batch(rendered: Rendered, config: LoaderConfig, global_size: int) -> Batch:
    """Return a batch of images in 0..1, padded to one size, with the rows of their objects."""
    images_bhwc, sizes_b2, objects_bm7 = (
        rendered.images_bhwc,
        rendered.sizes_b2,
        rendered.objects_bm7,
    )
    assert images_bhwc is not None
    assert sizes_b2 is not None
    assert objects_bm7 is not None
    images_bchw = images_bhwc.to(config.device, non_blocking=True).permute(0, 3, 1, 2)
    return Batch(
        images_bchw.float().div_(255),
        objects_bm7,
        rendered.shown_b,
        global_size=global_size,
        sizes_b2=sizes_b2,
        object_masks=rendered.object_masks,
        outlines=rendered.outlines,
    )
