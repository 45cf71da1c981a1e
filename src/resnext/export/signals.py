"""Real signals for the comparison of an export with PyTorch, and for calibration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch

from resnext.data.config import DataConfig
from resnext.data.loading.batch import Batch
from resnext.data.loading.config import LoaderConfig
from resnext.data.sets.choose_split import SplitChoice
from resnext.data.signals.video_loaders import signal_eval_loader
from resnext.errors import ConfigError, DataError
from resnext.evaluation.fit_signals import with_one_clip
from resnext.evaluation.target import Protocol, open_target
from resnext.export.images import name_of_part
from resnext.export.options import ExportOptions
from resnext.model.card import ModelCard
from resnext.model.signal import SignalInput
from resnext.model.trained import TrainedNetwork
from resnext.tasks.kinds import task_kind

_SEED = 0
_TOGETHER = 16  # signals of one batch


@dataclass(frozen=True)
class SignalSource:
    """Signals of the size that a network takes.

    Attributes:
        name: Which signals, in words.
        batches: Normalised, b x c x the sides; they can be gone through again.
    """

    name: str
    batches: Iterable[torch.Tensor]


def data_signals(
    data: DataConfig, split: SplitChoice, loaded: TrainedNetwork, num: int
) -> SignalSource:
    """Take signals of a data set, spread over all of it.

    Args:
        data: The data set.
        split: `train` or `val`.
        loaded: The network.
        num: At most so many.

    Raises:
        DataError: There are none, or their classes are not those of the network.
        ConfigError: They are not what the network takes.
    """
    is_choice = task_kind(loaded.card.task).targets == "class"
    target = open_target(Protocol(split=split, all_classes=is_choice), data, loaded)
    signal = target.info.signal
    assert signal is not None
    if not len(target.split) and split == "train":  # a file without splits, taken whole
        return data_signals(data, "val", loaded, num)
    if not len(target.split):
        raise DataError(f"{target.info.name}: the {split} split holds no signal")
    loading = LoaderConfig(batch_size=_TOGETHER, device=torch.device("cpu"), workers=1)
    loader = signal_eval_loader(target.split.sample(num), with_one_clip(signal), loading)
    part = name_of_part(split, target.source["split"] == "all", target.info.noun)
    return SignalSource(f"{target.info.name}, {part}", _Inputs(loader))


@dataclass(frozen=True)
class _Inputs:
    """The inputs of a loader, which can be gone through again."""

    loader: Iterable[Batch]

    def __iter__(self) -> Iterator[torch.Tensor]:
        return (batch.images_bchw for batch in self.loader)


def noise_signals(signal: SignalInput, num: int) -> SignalSource:
    """Draw normalised signals, where no data set is known."""
    shape = (num, signal.in_channels, *signal.sides)
    drawn_ncx = torch.randn(shape, generator=torch.Generator().manual_seed(_SEED))
    return SignalSource("noise, as no data set is known", torch.split(drawn_ncx, _TOGETHER))


def check_signal_options(card: ModelCard, options: ExportOptions) -> None:
    """Refuse options that are for images.

    Raises:
        ConfigError: One is given for a network that takes signals, or the other way round.
    """
    signal = card.signal
    if signal is None:
        if options.input == "values":
            raise ConfigError(
                "input='values' is for signals and the network takes none; export input='pixels' "
                "or 'normalised'"
            )
        return
    if options.input in ("pixels", "image"):
        raise ConfigError(
            f"input={options.input!r} is for images and the network takes a {signal.kind} of "
            f"{signal.shape}; export input='values' or 'normalised'"
        )
    if options.size_px not in (None, signal.size) or options.dynamic_size:
        raise ConfigError(
            f"size and dynamic_size are for images: the network takes a {signal.kind} of "
            f"{signal.shape}, to which predict and evaluate bring every file; leave them out"
        )
