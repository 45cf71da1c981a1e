"""The recipe for texts."""

from __future__ import annotations

from pathlib import Path

from resnext.data.config import DataConfig
from resnext.data.signals.augment_config import SignalAugmentConfig
from resnext.model.config import ModelConfig, ResNeXtConfig
from resnext.model.embedding_config import EmbeddingConfig
from resnext.model.text import Unit
from resnext.runs.config import OptimConfig, ScheduleConfig, TrainConfig

_STEPS = 1_400
_MIN_EPOCHS, _MAX_EPOCHS = 3, 60
_BATCH = 32
_WIDTH: dict[Unit, int] = {"word": 128, "character": 32}
_DROPOUT, _WORD_DROPOUT = 0.5, 0.2


def default_text_model(unit: Unit) -> ResNeXtConfig:
    """Return the default network.

    Words are few and each means much: two stages see 13 of them. Characters need more context.
    """
    stages = 2 if unit == "word" else 4
    model = ResNeXtConfig(
        stem="cifar",
        blocks_per_stage=(1,) * stages,
        cardinality=8,
        bottleneck_width=8,
        stage_widths=tuple(128 * 2**stage for stage in range(stages)),
        stem_width=128,
        ndim=1,
        in_channels=1,
        num_classes=2,
    )
    return _for_text(model, unit)


def for_text(model: ModelConfig, unit: Unit) -> ModelConfig:
    """Return a network with an embedding in front and dropout before its head.

    Others than residual networks stay as they are, and are refused where they are built.
    """
    return _for_text(model, unit) if isinstance(model, ResNeXtConfig) else model


def _for_text(model: ResNeXtConfig, unit: Unit) -> ResNeXtConfig:
    embedding = EmbeddingConfig(width=_WIDTH[unit])
    return model.replace(ndim=1, in_channels=1, embedding=embedding, dropout=_DROPOUT)


def text(
    model: ModelConfig, data: DataConfig, num_train: int, weights: Path | None = None
) -> TrainConfig:
    """Return the recipe for texts.

    The last epoch is kept: where a set has no split for validation, that of test is looked at in
    every epoch, and nothing may be chosen on it.

    Args:
        model: The network.
        data: The texts.
        num_train: Training texts.
        weights: Start from these.
    """
    steps_per_epoch = max(-(-num_train // _BATCH), 1)
    epochs = min(max(round(_STEPS / steps_per_epoch), _MIN_EPOCHS), _MAX_EPOCHS)
    return TrainConfig(
        recipe="text",
        model=model,
        data=data,
        signal_augment=SignalAugmentConfig(word_dropout=_WORD_DROPOUT),
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
