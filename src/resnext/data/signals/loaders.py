"""Loaders of signals in memory, with the interface of those of images.

Order, sharing among processes and what a resumed run skips are `loading`'s own functions.
Legend: b signals, c channels, x the sides.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

from resnext.data.augment.mix import draw_mix, is_mixing
from resnext.data.loading.batch import Batch
from resnext.data.loading.batches import (
    batch_span,
    check_shares,
    largest_share,
    num_steps,
    rank_span,
)
from resnext.data.loading.config import LoaderConfig, TrainLoaderConfig
from resnext.data.random import subset_order
from resnext.data.signals.audio_augment import WaveAugmenter
from resnext.data.signals.audio_split import AudioSplit
from resnext.data.signals.augment import SignalAugmenter
from resnext.data.signals.augment_config import SignalAugmentConfig
from resnext.data.signals.front_end import FLOOR, sound_features
from resnext.data.signals.split import SignalSplit, as_float
from resnext.errors import ConfigError
from resnext.model.signal import SignalInput


def normalise_signals(
    signals_bcx: torch.Tensor, signal: SignalInput, *, is_level: bool = False
) -> torch.Tensor:
    """Subtract each channel's mean and divide by its deviation; what has no value becomes 0.

    Of audio, these are the features that the front end makes of the samples.

    Args:
        signals_bcx: What a split holds.
        signal: How it is prepared.
        is_level: Clips of audio have been brought to their level.
    """
    shape = (1, signal.in_channels, *(1,) * signal.ndim)
    device = signals_bcx.device
    mean = torch.tensor(signal.mean, dtype=torch.float32, device=device).view(shape)
    std = torch.tensor(signal.std, dtype=torch.float32, device=device).view(shape)
    values_bcx = as_float(signals_bcx)
    if signal.sound is not None:
        values_bcx = sound_features(values_bcx, signal, is_level=is_level)
    return values_bcx.sub(mean).div_(std).nan_to_num_(nan=0.0)


def sound_statistics(
    split: SignalSplit, signal: SignalInput
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and standard deviation of each channel of what the front end makes of a split.

    Of at most some thousand clips, chosen by a hash.
    """
    chosen_n = subset_order(len(split))[:_NUM_COUNTED].sort().values
    sums_c, squares_c, num = torch.zeros(1), torch.zeros(1), 0
    for indices_b in torch.split(chosen_n, _COUNTED_TOGETHER):
        features_cx = sound_features(split.values(indices_b), signal).double()
        features_cx = features_cx.transpose(0, 1).flatten(1)
        sums_c = sums_c + features_cx.sum(dim=1)
        squares_c = squares_c + features_cx.square().sum(dim=1)
        num += features_cx.shape[1]
    mean_c = sums_c / num
    std_c = (squares_c / num - mean_c.square()).clamp_min(0.0).sqrt()
    deviations = [value if value > FLOOR else 1.0 for value in std_c.tolist()]
    return tuple(map(_rounded, mean_c.tolist())), tuple(map(_rounded, deviations))


def _rounded(value: float) -> float:
    """Keep four digits, which do not depend on how many threads computed them."""
    return float(f"{value:.4g}")


_NUM_COUNTED, _COUNTED_TOGETHER = 2_000, 64


class SignalTrainLoader:
    """Varied batches of a training split; each signal comes once an epoch.

    Attributes:
        num_steps: Batches of an epoch.
        largest_share: Most signals of one batch in one process.
    """

    def __init__(
        self,
        split: SignalSplit,
        signal: SignalInput,
        augment: SignalAugmentConfig,
        config: TrainLoaderConfig,
    ) -> None:
        """Prepare the loader.

        Args:
            split: The signals.
            signal: How they are normalised.
            augment: How they are varied.
            config: How batches are made; of its `augment` only mixup is for signals.

        Raises:
            ConfigError: The augmentation does not suit the signals, or a process would get none
                of some batch.
        """
        world_size = config.world_size
        self.num_steps = num_steps(len(split), config.batch_size)
        self.largest_share = largest_share(len(split), config.batch_size, world_size)
        check_shares(len(split), config.batch_size, world_size, "signals")
        check_mixing(config, signal)
        self._split, self._signal, self._config = split, signal, config
        self._augmenter = SignalAugmenter(augment, signal, config.seed)
        self._waves = None
        if isinstance(split, AudioSplit):
            self._waves = WaveAugmenter(augment, signal, split.lengths_n, config.seed)
        self._values_ncx = split.values_ncx.to(config.device)
        self._targets_n = split.targets_n.to(config.device)

    def epoch(
        self, epoch: int, first_step: int = 0, image_size_px: int | None = None
    ) -> Iterator[Batch]:
        """Yield this process's batches of an epoch.

        Args:
            epoch: Number of the epoch.
            first_step: Steps before it are left out and cost nothing.
            image_size_px: Ignored: signals have one size.
        """
        del image_size_px
        order_n = self._split.epoch_order(self._config.seed, epoch)
        for step in range(first_step, self.num_steps):
            whole = batch_span(step, len(self._split), self._config.batch_size)
            share = rank_span(*whole, self._config.rank, self._config.world_size)
            indices_b = order_n[slice(*share)]
            place_b = indices_b.to(self._config.device)
            signals_bcx = self._values_ncx.index_select(0, place_b)
            if self._waves is not None:
                signals_bcx = self._waves(signals_bcx, indices_b, epoch)
            is_level = self._waves is not None
            signals_bcx = normalise_signals(signals_bcx, self._signal, is_level=is_level)
            signals_bcx = self._augmenter(signals_bcx, indices_b, epoch)
            batch = Batch(
                signals_bcx.contiguous(),
                self._targets_n.index_select(0, place_b),
                place_b,
                global_size=whole[1] - whole[0],
            )
            yield mix_pairs(batch, self._config, self._signal.size, (epoch, step), whole, share)


class SignalEvalLoader:
    """Batches of a split as it is, in order.

    Every process takes every world_size-th signal, so that together they see each exactly once.

    Attributes:
        num_views: Always 1.
        size_px: Length or side of the signals.
        resize_px: None, as for all that is in memory.
    """

    num_views = 1
    resize_px: int | None = None

    def __init__(self, split: SignalSplit, signal: SignalInput, config: LoaderConfig) -> None:
        self.size_px = signal.size
        self._signal, self._config = signal, config
        self._values_ncx = split.values_ncx
        self._targets_n = split.targets_n
        self._indices = split.evaluation_order()[config.rank :: config.world_size]

    def __len__(self) -> int:
        return -(-len(self._indices) // self._config.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        """Yield the batches of this process."""
        device = self._config.device
        for start in range(0, len(self._indices), self._config.batch_size):
            indices_b = self._indices[start : start + self._config.batch_size]
            stored_bcx = self._values_ncx.index_select(0, indices_b).to(device)
            signals_bcx = normalise_signals(stored_bcx, self._signal).contiguous()
            targets_b = self._targets_n[indices_b].to(device)
            yield Batch(signals_bcx, targets_b, indices_b.to(device), len(indices_b))


def mix_pairs(
    batch: Batch,
    config: TrainLoaderConfig,
    size: int,
    position: tuple[int, int],
    whole: tuple[int, int],
    share: tuple[int, int],
) -> Batch:
    """Blend the two signals of each pair, as all processes draw it for the whole batch.

    Args:
        batch: This process's part.
        config: Mixing and seed.
        size: Length or side of a signal.
        position: Epoch and step.
        whole: Span of the batch of all processes in the order of the epoch.
        share: Span of this part.
    """
    augment = config.augment
    if not is_mixing(augment):
        return batch
    start, end = whole
    mix = draw_mix(augment, (config.seed, *position), (end - start) // 2, size)
    mix = mix.choose(slice((share[0] - start) // 2, (share[1] - start) // 2))
    num = len(batch.targets_b)
    device = batch.images_bchw.device
    paired = num - num % 2
    partners_b = torch.arange(num)
    partners_b[:paired] ^= 1
    kept_b = torch.ones(num)
    kept_b[:paired] = torch.from_numpy(mix.kept_p[: paired // 2]).float().repeat_interleave(2)
    partners_b, kept_b = partners_b.to(device), kept_b.to(device)
    weight = kept_b.view(-1, *(1,) * (batch.images_bchw.ndim - 1))
    mixed = torch.lerp(batch.images_bchw[partners_b], batch.images_bchw, weight)
    others_b = batch.targets_b[partners_b]
    return Batch(mixed, batch.targets_b, batch.indices_b, batch.global_size, others_b, kept_b)


def check_mixing(config: TrainLoaderConfig, signal: SignalInput) -> None:
    """Refuse what varies images only, which would have no effect, and mixing of token numbers."""
    given = config.augment
    if signal.kind == "text" and given.mixup:
        raise ConfigError(
            f"augment.mixup={given.mixup:g} mixes values, and texts have none; leave it out"
        )
    plain = type(given)(mixup=given.mixup)
    wrong = [
        name for name in type(given).model_fields if getattr(given, name) != getattr(plain, name)
    ]
    if wrong:
        raise ConfigError(
            f"augment.{wrong[0]}={getattr(given, wrong[0])} varies images; signals are varied by "
            f"signal_augment ({', '.join(SignalAugmentConfig.model_fields)}) and augment.mixup"
        )
