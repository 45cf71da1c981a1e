"""The recipe for videos."""

from __future__ import annotations

from pathlib import Path

from resnext.data.augment.config import AugmentConfig
from resnext.data.config import DataConfig
from resnext.data.signals.augment_config import SignalAugmentConfig
from resnext.model.config import ModelConfig, ResNeXtConfig
from resnext.runs.config import OptimConfig, ScheduleConfig, TrainConfig

_STEPS = 1_500
_MIN_EPOCHS, _MAX_EPOCHS = 10, 60
_BATCH = 8


def default_video_model() -> ResNeXtConfig:
    """Return the default network: three small stages of 3-D blocks."""
    return ResNeXtConfig(
        stem="imagenet",
        blocks_per_stage=(1, 1, 1),
        cardinality=8,
        bottleneck_width=8,
        stage_widths=(64, 128, 256),
        stem_width=32,
        ndim=3,
    )


def video(
    model: ModelConfig, data: DataConfig, num_train: int, weights: Path | None = None
) -> TrainConfig:
    """Return the recipe for videos.

    The last epoch is kept: where a set has no split for validation, that of test is looked at in
    every epoch, and nothing may be chosen on it.

    Args:
        model: The network, of two or three dimensions.
        data: The videos.
        num_train: Training videos.
        weights: Start from these; of images they are inflated.
    """
    steps_per_epoch = max(-(-num_train // _BATCH), 1)
    epochs = min(max(round(_STEPS / steps_per_epoch), _MIN_EPOCHS), _MAX_EPOCHS)
    return TrainConfig(
        recipe="video",
        model=model,
        data=data,
        augment=AugmentConfig(),
        signal_augment=SignalAugmentConfig(flip=True),
        optim=OptimConfig(
            kind="adamw", lr=1e-3 if weights is None else 4e-4, lr_batch_size=_BATCH,
            weight_decay=0.05, decay_norm=False,
        ),
        schedule=ScheduleConfig(kind="cosine", epochs=epochs, warmup=0.1),
        batch_size=_BATCH,
        label_smoothing=0.1,
        ema_decay=0.99,
        keep="last",
        weights=weights,
    )  # fmt: skip
