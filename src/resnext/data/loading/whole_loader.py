"""The evaluation loader for masks: whole images at their own size, each exactly once."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from resnext.data.bad_files import BadFiles
from resnext.data.config import ViewConfig
from resnext.data.loading.batch import Batch
from resnext.data.loading.config import LoaderConfig
from resnext.data.loading.eval_loader import EvalLoader
from resnext.data.loading.feed import Feed
from resnext.data.loading.render import WholeRenderer
from resnext.data.prepare.normalise import Normaliser
from resnext.data.split import DataInfo, Split
from resnext.errors import ConfigError

_MAX_BATCH_PIXELS = 2**20
"""Of one batch; a larger image is a batch of its own."""


class WholeLoader:
    """Batches of images of equal size, as they are, with their masks.

    Every process takes every world_size-th image in the order of their sizes; nothing is padded.

    Attributes:
        num_views: One view of each image.
        size_px: Side of the crops of training, for the record.
        resize_px: None: images are not resized.
    """

    num_views = 1
    resize_px = None

    def __init__(
        self,
        split: Split,
        info: DataInfo,
        view: ViewConfig,
        config: LoaderConfig,
        bad_files: BadFiles | None = None,
    ) -> None:
        """Prepare the loader; see `EvalLoader`.

        Raises:
            ConfigError: Crops are asked for.
        """
        if view.num_views > 1 or view.resize_px is not None or view.size_px is not None:
            raise ConfigError(
                "view: masks are evaluated on whole images at their own size; leave out crops, "
                "mirrored views and sizes"
            )
        shapes_n2 = split.shapes_n2
        assert shapes_n2 is not None  # splits of masks know them
        self.size_px = info.image_size_px
        self._config = config
        self._normaliser = Normaliser(info.mean, info.std, config.device)
        by_size = sorted(range(len(split)), key=lambda index: tuple(shapes_n2[index].tolist()))
        self._indices = torch.tensor(by_size[config.rank :: config.world_size], dtype=torch.int64)
        self._spans = _spans(shapes_n2[self._indices], config.batch_size)
        renderer = WholeRenderer(split.reader(info.in_channels))
        self._feed = Feed(split, renderer, config, bad_files, keep_workers=False)

    def __len__(self) -> int:
        return len(self._spans)

    def __iter__(self) -> Iterator[Batch]:
        """Yield the batches of this process.

        Raises:
            DataError: Too many files are bad, or a worker died.
        """
        device = self._config.device
        for rendered in self._feed.run(self._indices, self._spans, 0, self.size_px):
            if rendered.images_bhwc is None or rendered.masks_bhw is None:
                continue
            images_bhwc = rendered.images_bhwc.to(device, non_blocking=True)
            images_bchw = self._normaliser(images_bhwc).contiguous(
                memory_format=self._config.layout
            )
            targets_b = rendered.masks_bhw.to(device, non_blocking=True)
            indices_b = rendered.shown_b.to(device)
            yield Batch(images_bchw, targets_b, indices_b, len(indices_b))


def _spans(shapes_n2: torch.Tensor, batch_size: int) -> list[tuple[int, int]]:
    """Cut a sorted list of sizes into batches of equal ones."""
    spans: list[tuple[int, int]] = []
    start, shapes = 0, [tuple(shape) for shape in shapes_n2.tolist()]
    while start < len(shapes):
        height, width = shapes[start]
        most = min(batch_size, max(_MAX_BATCH_PIXELS // (height * width), 1))
        end = start + 1
        while end < min(start + most, len(shapes)) and shapes[end] == shapes[start]:
            end += 1
        spans.append((start, end))
        start = end
    return spans


def eval_loader(
    split: Split,
    info: DataInfo,
    view: ViewConfig,
    config: LoaderConfig,
    bad_files: BadFiles | None = None,
) -> EvalLoader | WholeLoader:
    """Return the loader that suits the targets: crops of images, or whole images with masks."""
    kind = WholeLoader if info.targets == "mask" else EvalLoader
    return kind(split, info, view, config, bad_files)
