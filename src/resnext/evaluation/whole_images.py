"""Loads whole images one by one, for networks that resize and crop in the graph."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from resnext.data.bad_files import BadFiles
from resnext.data.config import ViewConfig
from resnext.data.loading.batch import Batch
from resnext.data.prepare.normalise import normalise
from resnext.data.prepare.views import resolve_view, view_of_card
from resnext.data.split import DataInfo, Split
from resnext.errors import ConfigError, DataError
from resnext.inference.preprocessor import Preprocessor
from resnext.runtimes.exported import Exported


class WholeImageLoader:
    """Batches of one whole image, as a replacement for `EvalLoader`.

    Attributes:
        size_px: Side of the crop in the network.
        resize_px: Short side of its resize; None means the side of the crop.
    """

    def __init__(
        self,
        split: Split,
        info: DataInfo,
        view: ViewConfig,
        network: Exported,
        *,
        rank: int = 0,
        world_size: int = 1,
        bad_files: BadFiles | None = None,
    ) -> None:
        """Prepare the loader; see `EvalLoader`.

        Args:
            split: The images.
            info: Their channels and statistics.
            view: The requested crop, which must be the network's.
            network: The network.
            rank: Index of this process.
            world_size: Number of processes.
            bad_files: Collects unreadable files, which are left out.

        Raises:
            ConfigError: Other crops than the network's are requested.
        """
        self._preprocessor = Preprocessor.of(network.config, network.card, network.spec)
        own, wanted = self._preprocessor.preparation, view_of_card(view, network.card)
        if view.num_views > 1 or resolve_view(wanted, 0).preparation != own:
            raise ConfigError(
                "the exported file resizes and crops images itself; for other crops evaluate a "
                "file exported with --input pixels, or the run it was exported from"
            )
        self.size_px, self.resize_px = own.size_px, own.resize_px
        self._split, self._info = split, info
        self._indices = range(rank, len(split), world_size)
        self._bad_files = BadFiles(len(split)) if bad_files is None else bad_files

    def __iter__(self) -> Iterator[Batch]:
        """Yield the images of this process.

        Raises:
            DataError: Too many files are bad.
        """
        images = self._split.reader(self._info.in_channels)
        for index in self._indices:
            try:
                pixels_hwc = torch.from_numpy(self._preprocessor.pixels(images.open(index)))
            except DataError as error:
                self._bad_files.record(images.name_of(index), str(error))
                continue
            image_bchw = normalise(
                pixels_hwc.permute(2, 0, 1).unsqueeze(0),
                self._info.mean,
                self._info.std,
                torch.device("cpu"),
            )
            targets_b = self._split.targets_n[index : index + 1]
            yield Batch(image_bchw, targets_b, torch.tensor([index]), 1)
