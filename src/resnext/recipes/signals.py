"""The recipes for signals: one for time series, one for volumes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from resnext.data.augment.config import AugmentConfig
from resnext.data.config import DataConfig
from resnext.data.signals.augment_config import SignalAugmentConfig
from resnext.model.config import ModelConfig, ResNeXtConfig
from resnext.runs.config import OptimConfig, ScheduleConfig, TrainConfig


@dataclass(frozen=True)
class SignalFacts:
    """What decides the recipe for signals.

    Attributes:
        num_train: Training signals.
        size: Steps of a series, or voxels along a side.
        ndim: 1 for series, 3 for volumes.
    """

    num_train: int
    size: int
    ndim: int


_STEPS = 1_000
_MIN_EPOCHS, _MAX_EPOCHS = 30, 300
_BATCH = 16
_SMALL_SIDE = 20


def default_signal_model(facts: SignalFacts) -> ResNeXtConfig:
    """Return the network for people who did not name one.

    Volumes have many positions: their first layers take every fourth along each side, as those of
    large images do.
    """
    stages = 4 if facts.ndim == 1 else 3
    return ResNeXtConfig(
        stem="cifar" if facts.ndim == 1 or facts.size < _SMALL_SIDE else "imagenet",
        blocks_per_stage=(1,) * stages,
        cardinality=8,
        bottleneck_width=8,
        stage_widths=tuple(64 * 2**stage for stage in range(stages)),
        ndim=facts.ndim,
    )


def signals(
    model: ModelConfig, data: DataConfig, facts: SignalFacts, weights: Path | None = None
) -> TrainConfig:
    """Return the recipe for signals.

    The last epoch is kept: where a set has no split for validation, that of test is looked at in
    every epoch, and nothing may be chosen on it.

    Args:
        model: The network.
        data: The signals.
        facts: What was seen of them.
        weights: Start from these.
    """
    steps_per_epoch = -(-facts.num_train // _BATCH)
    epochs = min(max(round(_STEPS / steps_per_epoch), _MIN_EPOCHS), _MAX_EPOCHS)
    if facts.ndim == 1:
        vary = SignalAugmentConfig(crop=0.8, scale=0.1)
    else:
        vary = SignalAugmentConfig(shift=0.1, flip=True, rotate=True)
    return TrainConfig(
        recipe="signals",
        model=model,
        data=data,
        augment=AugmentConfig(),
        signal_augment=vary,
        optim=OptimConfig(
            kind="adamw", lr=1e-3, lr_batch_size=_BATCH, weight_decay=0.05, decay_norm=False
        ),
        schedule=ScheduleConfig(kind="cosine", epochs=epochs, warmup=0.1),
        batch_size=_BATCH,
        label_smoothing=0.1,
        ema_decay=0.99,
        keep="last",
        weights=weights,
    )
