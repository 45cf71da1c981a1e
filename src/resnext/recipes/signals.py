"""The recipes for signals: time series, volumes and audio."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from resnext.data.augment.config import AugmentConfig
from resnext.data.config import DataConfig
from resnext.data.signals.augment_config import SignalAugmentConfig
from resnext.model.config import ModelConfig, ResNeXtConfig
from resnext.model.signal import SignalKind
from resnext.runs.config import OptimConfig, ScheduleConfig, TrainConfig


@dataclass(frozen=True)
class SignalFacts:
    """What decides the recipe for signals.

    Attributes:
        num_train: Training signals.
        size: Steps of a series, voxels along a side, or samples of a clip.
        ndim: 1 for series and waveforms, 2 for spectrograms, 3 for volumes.
        kind: What they are.
    """

    num_train: int
    size: int
    ndim: int
    kind: SignalKind = "series"


_STEPS = 1_000
_MIN_EPOCHS, _MAX_EPOCHS = 30, 300
_BATCH = 16
_AUDIO_BATCH, _MIN_AUDIO_EPOCHS = 32, 20
_SMALL_SIDE = 20

_SPECTROGRAM = ResNeXtConfig(
    stem="imagenet",
    blocks_per_stage=(1, 1, 1, 1),
    cardinality=8,
    bottleneck_width=4,
    stage_widths=(32, 64, 128, 256),
    stem_width=32,
    ndim=2,
)
_WAVEFORM = ResNeXtConfig(
    stem="imagenet",
    blocks_per_stage=(1, 1, 1, 1, 1, 1),
    cardinality=8,
    bottleneck_width=1,
    stage_widths=(32, 64, 64, 128, 128, 256),
    stem_width=32,
    ndim=1,
)


def default_signal_model(facts: SignalFacts) -> ResNeXtConfig:
    """Return the default network.

    Volumes and spectrograms have many positions: their first layers take every fourth along each
    side, as those of large images do. A waveform has thousands and gets more stages.
    """
    if facts.kind == "audio":
        return _SPECTROGRAM if facts.ndim == 2 else _WAVEFORM
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
    if facts.kind == "audio":
        batch, vary, least = _AUDIO_BATCH, _vary_audio(facts), _MIN_AUDIO_EPOCHS
    elif facts.ndim == 1:
        batch, vary, least = _BATCH, SignalAugmentConfig(crop=0.8, scale=0.1), _MIN_EPOCHS
    else:
        vary = SignalAugmentConfig(shift=0.1, flip=True, rotate=True)
        batch, least = _BATCH, _MIN_EPOCHS
    steps_per_epoch = -(-facts.num_train // batch)
    epochs = min(max(round(_STEPS / steps_per_epoch), least), _MAX_EPOCHS)
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
        batch_size=batch,
        label_smoothing=0.1,
        ema_decay=0.99,
        keep="last",
        weights=weights,
    )


def _vary_audio(facts: SignalFacts) -> SignalAugmentConfig:
    """Return how audio is varied: as other voices, rooms and microphones would."""
    is_spectrogram = facts.ndim == 2
    return SignalAugmentConfig(
        shift=0.1,
        speed=0.15,
        gain_db=6.0,
        noise=0.1,
        time_mask=0.1 if is_spectrogram else 0.0,
        frequency_mask=0.15 if is_spectrogram else 0.0,
    )
