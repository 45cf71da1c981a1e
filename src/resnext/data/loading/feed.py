"""Renders the images of a split batch by batch, ahead of their use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch.utils.data import Dataset

from resnext.data.bad_files import BadFiles
from resnext.data.decode.depth import AssumptionLog
from resnext.data.loading.config import LoaderConfig
from resnext.data.loading.render import Rendered, Request
from resnext.data.loading.workers import WorkerPool
from resnext.data.split import Split
from resnext.errors import DownloadError


class Feed:
    """Renders batches and collects bad files, assumed value ranges and failed downloads."""

    def __init__(
        self,
        split: Split,
        renderer: Dataset[Rendered],
        config: LoaderConfig,
        bad_files: BadFiles | None,
        *,
        keep_workers: bool,
    ) -> None:
        """Prepare the workers; they start with the first batch.

        Args:
            split: The images.
            renderer: Renders them.
            config: Number of workers and device.
            bad_files: Collects unreadable files.
            keep_workers: Keep the workers for the next order.
        """
        self._split = split
        self._bad_files = BadFiles(len(split)) if bad_files is None else bad_files
        self._assumptions = AssumptionLog()
        pin = config.device.type == "cuda"
        self._pool = WorkerPool(renderer, config.workers, pin=pin, keep=keep_workers)

    def run(
        self, order_n: torch.Tensor, spans: Sequence[tuple[int, int]], epoch: int, size_px: int
    ) -> Iterator[Rendered]:
        """Yield a batch for each span of an order.

        Args:
            order_n: Numbers of the images.
            spans: First position of each batch in the order, and the last plus one.
            epoch: Epoch, which determines the augmentation.
            size_px: Side of the images.

        Raises:
            DataError: Too many files are bad, or a worker died.
            DownloadError: A shard cannot be downloaded.
        """
        ahead = self._split.shards_ahead(order_n, spans)
        requests = (
            Request(tuple(order_n[slice(*span)].tolist()), epoch, size_px, soon)
            for span, soon in zip(spans, ahead, strict=True)
        )
        for rendered in self._pool.run(requests):
            if rendered.failure is not None:
                raise DownloadError(rendered.failure)
            for path, reason in rendered.bad:
                self._bad_files.record(path, reason)
            self._assumptions.report(*rendered.assumed)
            yield rendered
