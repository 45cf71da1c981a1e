"""What an export is compared on: images or signals, as the network takes them."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from resnext.data.config import DataConfig
from resnext.data.sets.choose_split import SplitChoice
from resnext.export.images import ImageSource, as_batches, as_whole, data_images
from resnext.export.signals import SignalSource, data_signals
from resnext.inference.preprocessor import takes_images
from resnext.model.config import DetectorConfig, SegmenterConfig
from resnext.model.trained import TrainedNetwork
from resnext.runtimes.spec import ExportSpec

SampleSource = ImageSource | SignalSource


def takes_samples(loaded: TrainedNetwork) -> bool:
    """Tell whether a network can be shown real data: image files, or signals of a known kind."""
    return loaded.card.signal is not None or takes_images(loaded.config)


def data_samples(
    data: DataConfig, split: SplitChoice, loaded: TrainedNetwork, num: int
) -> SampleSource:
    """Take images or signals of a data set, spread over all of it.

    Args:
        data: The data set.
        split: `train` or `val`.
        loaded: The network.
        num: At most so many.

    Raises:
        DataError: There is none that can be read.
        ConfigError: They are not what the network takes.
    """
    if loaded.card.signal is not None:
        return data_signals(data, split, loaded, num)
    return data_images(data, split, loaded, num)


def sample_batches(
    source: SampleSource, loaded: TrainedNetwork, spec: ExportSpec
) -> Iterator[torch.Tensor]:
    """Yield batches: uint8 images as the graph takes them, or normalised signals.

    Images that keep their own size are batches of one.
    """
    if isinstance(source, SignalSource):
        return iter(source.batches)
    if isinstance(loaded.config, SegmenterConfig | DetectorConfig):
        return as_whole(source, spec)
    return as_batches(source, loaded, spec)
