"""The evaluation loader: the images of a split as they are, each exactly once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeGuard

import torch

from resnext.data.bad_files import BadFiles
from resnext.data.config import ViewConfig
from resnext.data.decode.depth import AssumptionLog
from resnext.data.loading.batch import Batch, memory_format
from resnext.data.loading.render import EvalRenderer, Images, Request, check_fetched
from resnext.data.loading.workers import WorkerPool
from resnext.data.prepare.normalise import Normaliser
from resnext.data.prepare.views import resolve_view, take_views
from resnext.data.shards.order import order_of_evaluation, shards_ahead
from resnext.data.shards.split import ShardSplit
from resnext.data.split import ArraySplit, DataInfo, Split


class EvalLoader:
    """Batches of a split as it is, in order, without augmentation.

    Only fetched shards that the cache does not hold all are read one after another.

    Every process takes every world_size-th image and nothing is padded: together they see
    each image exactly once.

    Attributes:
        num_views: Crops of each image; see `Batch`.
        size_px: Side of the crops.
        resize_px: Short side to which images are resized first, or None.
    """

    def __init__(
        self,
        split: Split,
        info: DataInfo,
        view: ViewConfig,
        *,
        batch_size: int,
        device: torch.device,
        workers: int = 0,
        rank: int = 0,
        world_size: int = 1,
        bad_files: BadFiles | None = None,
        channels_last: bool = True,
    ) -> None:
        """Prepare the loader.

        Args:
            split: The images.
            info: Their channels, size and statistics.
            view: Which crops to look at.
            batch_size: Images of a batch in this process; each has `num_views` rows.
            device: Where batches go.
            workers: Processes that decode files or resize; images in memory of the right size
                use none.
            rank: This process.
            world_size: Number of processes.
            bad_files: Gets the files that cannot be read; they are left out.
            channels_last: Hand over images with the channels innermost in memory.

        Raises:
            ConfigError: The sizes of the view contradict each other.
        """
        self._view = resolve_view(view, info.image_size_px)
        self.num_views = view.num_views
        preparation = self._view.preparation
        self.size_px, self.resize_px = preparation.size_px, preparation.resize_px
        self._split, self._device = split, device
        self._layout = memory_format(channels_last=channels_last)
        order = torch.arange(len(split))
        if isinstance(split, ShardSplit):
            order = order_of_evaluation(split)
        self._indices = order[rank::world_size]
        self._batch_size = batch_size
        self._bad_files = BadFiles(len(split)) if bad_files is None else bad_files
        self._assumptions = AssumptionLog()
        self._labels_n = split.labels_n.to(device)
        self._normaliser = Normaliser(info.mean, info.std, device)
        renderer = EvalRenderer(Images(split, info.in_channels), self._view)
        used = 0 if self._is_as_stored(split) else workers
        self._pool = WorkerPool(renderer, used, pin=device.type == "cuda", keep=False)

    def __len__(self) -> int:
        return -(-len(self._indices) // self._batch_size)

    def __iter__(self) -> Iterator[Batch]:
        """Yield the batches of this process.

        Raises:
            DataError: Too many files are bad, or a worker died.
            DownloadError: A shard cannot be fetched.
        """
        size, num = self._batch_size, len(self._indices)
        parts = [self._indices[start : start + size] for start in range(0, num, size)]
        if self._is_as_stored(self._split):
            for indices_b in parts:
                yield self._to_batch(self._from_memory(self._split, indices_b), indices_b)
            return
        requests = (
            Request(tuple(part.tolist()), 0, self.size_px, soon)
            for part, soon in zip(parts, self._soon(), strict=True)
        )
        for rendered in self._pool.run(requests):
            check_fetched(rendered)
            for path, reason in rendered.bad:
                self._bad_files.record(path, reason)
            self._assumptions.report(*rendered.assumed)
            if rendered.images_bhwc is not None:
                images_bhwc = rendered.images_bhwc.to(self._device, non_blocking=True)
                yield self._to_batch(self._normaliser(images_bhwc), rendered.shown_b)

    def _is_as_stored(self, split: Split) -> TypeGuard[ArraySplit]:
        """Tell whether images lie in memory in their size; others are prepared as files are."""
        side_px = self._view.preparation.short_side_px
        return isinstance(split, ArraySplit) and split.images_nhwc.shape[1:3] == (side_px, side_px)

    def _soon(self) -> Iterable[tuple[int, ...]]:
        """Return the shards to fetch ahead at each batch."""
        if not isinstance(self._split, ShardSplit):
            return [()] * len(self)
        size, num = self._batch_size, len(self._indices)
        spans = [(start, min(start + size, num)) for start in range(0, num, size)]
        return shards_ahead(self._split, self._indices, spans)

    def _from_memory(self, split: ArraySplit, indices_b: torch.Tensor) -> torch.Tensor:
        images_bhwc = split.images_nhwc.index_select(0, indices_b).to(self._device)
        return take_views(self._normaliser(images_bhwc), self._view)

    def _to_batch(self, images_bchw: torch.Tensor, indices_b: torch.Tensor) -> Batch:
        indices_b = indices_b.to(self._device)
        labels_b = self._labels_n.index_select(0, indices_b)
        images_bchw = images_bchw.contiguous(memory_format=self._layout)
        return Batch(images_bchw, labels_b, indices_b, len(indices_b), num_views=self.num_views)
