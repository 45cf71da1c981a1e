"""The evaluation loader: the images of a split without augmentation, each exactly once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch

from resnext.data.bad_files import BadFiles
from resnext.data.config import ViewConfig
from resnext.data.loading.batch import Batch
from resnext.data.loading.config import LoaderConfig
from resnext.data.loading.feed import Feed
from resnext.data.loading.render import EvalRenderer
from resnext.data.prepare.normalise import Normaliser
from resnext.data.prepare.views import resolve_view, take_views
from resnext.data.split import DataInfo, Split


class EvalLoader:
    """Batches of a split, in order, without augmentation.

    Remote shards that do not all fit in the cache are read in sequence.

    Every process takes every world_size-th image without padding: together they see each image
    exactly once.

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
        config: LoaderConfig,
        bad_files: BadFiles | None = None,
    ) -> None:
        """Prepare the loader.

        Args:
            split: The images.
            info: Their channels, size and statistics.
            view: Crops to evaluate.
            config: How batches are made; each image of a batch has `num_views` rows.
            bad_files: Collects unreadable files, which are left out.

        Raises:
            ConfigError: The sizes of the view contradict each other.
        """
        self._view = resolve_view(view, info.image_size_px)
        self.num_views = view.num_views
        preparation = self._view.preparation
        self.size_px, self.resize_px = preparation.size_px, preparation.resize_px
        self._config = config
        self._indices = split.evaluation_order()[config.rank :: config.world_size]
        self._labels_n = split.targets_n.to(config.device)
        self._normaliser = Normaliser(info.mean, info.std, config.device)
        # Images in memory of the right size are used as they are; others are prepared as files.
        self._stored_nhwc = split.stored_nhwc
        sides = (preparation.short_side_px,) * 2
        if self._stored_nhwc is not None and self._stored_nhwc.shape[1:3] != sides:
            self._stored_nhwc = None
        renderer = EvalRenderer(split.reader(info.in_channels), self._view)
        if self._stored_nhwc is not None:
            config = replace(config, workers=0)
        self._feed = Feed(split, renderer, config, bad_files, keep_workers=False)

    def __len__(self) -> int:
        return -(-len(self._indices) // self._config.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        """Yield the batches of this process.

        Raises:
            DataError: Too many files are bad, or a worker died.
            DownloadError: A shard cannot be downloaded.
        """
        size, num = self._config.batch_size, len(self._indices)
        spans = [(start, min(start + size, num)) for start in range(0, num, size)]
        if self._stored_nhwc is not None:
            for start, end in spans:
                indices_b = self._indices[start:end]
                images_bhwc = self._stored_nhwc.index_select(0, indices_b).to(self._config.device)
                views_bchw = take_views(self._normaliser(images_bhwc), self._view)
                yield self._to_batch(views_bchw, indices_b)
            return
        for rendered in self._feed.run(self._indices, spans, 0, self.size_px):
            if rendered.images_bhwc is not None:
                images_bhwc = rendered.images_bhwc.to(self._config.device, non_blocking=True)
                yield self._to_batch(self._normaliser(images_bhwc), rendered.shown_b)

    def _to_batch(self, images_bchw: torch.Tensor, indices_b: torch.Tensor) -> Batch:
        indices_b = indices_b.to(self._config.device)
        targets_b = self._labels_n.index_select(0, indices_b)
        images_bchw = images_bchw.contiguous(memory_format=self._config.layout)
        return Batch(images_bchw, targets_b, indices_b, len(indices_b), num_views=self.num_views)
