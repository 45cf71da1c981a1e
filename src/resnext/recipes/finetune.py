"""`finetune`: the recipe for training that starts from trained weights.

The new classifier is trained first, on frozen features, because a random one would propagate its
errors through the whole network. Then all layers are trained, with lower rates for early ones, at a
lower peak rate than from scratch and for fewer epochs. Images are prepared as the weights expect.

Sources of the choices: Howard and Ruder, arXiv 1801.06146 (classifier first, rates by layer);
Kumar and others, arXiv 2202.10054 (why the classifier first); docs/benchmarks/finetuning.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from resnext.data.config import DataConfig, ViewConfig
from resnext.model.card import ModelCard
from resnext.model.config import ModelConfig, ResNeXtConfig
from resnext.recipes.presets import base_augment, is_small
from resnext.runs.config import OptimConfig, ScheduleConfig, TrainConfig

if TYPE_CHECKING:
    from resnext.recipes.photos import PhotoFacts

_SIDE_STEP_PX = 16
_MAX_SIDE_PX = 224
_BATCH_SIZE = 32
_MIN_EPOCHS, _MAX_EPOCHS = 6, 40
_EPOCH_IMAGES = 20_000


def finetune(
    model: ModelConfig,
    data: DataConfig,
    weights: Path,
    card: ModelCard,
    facts: PhotoFacts | None = None,
) -> TrainConfig:
    """Return the recipe for a set of images and the weights to start from.

    Args:
        model: The network of the weights.
        data: The images.
        weights: Name or path of the weights.
        card: Preprocessing that the weights expect.
        facts: Facts about image files; without them, the length suits a few thousand images.
    """
    is_files = not is_small(data)
    num_train = 2_000 if facts is None else facts.num_train
    if is_files and data.image_size_px is None:
        data = data.replace(image_size_px=image_size_px(card, facts))
    return TrainConfig(
        recipe="finetune",
        model=model,
        data=data,
        augment=base_augment(data).replace(area=(0.35, 1.0)) if is_files else base_augment(data),
        view=view(card, data.image_size_px) if is_files else ViewConfig(),
        optim=OptimConfig(
            kind="adamw",
            lr=8e-4,
            lr_batch_size=_BATCH_SIZE,
            weight_decay=0.05,
            decay_norm=False,
            clip_norm=1.0,
            head_lr_factor=2.5,
            layer_decay=0.85 if isinstance(model, ResNeXtConfig) else 1.0,
        ),
        schedule=ScheduleConfig(
            kind="cosine", epochs=num_epochs(num_train), warmup=0.1, head_first=0.15
        ),
        batch_size=min(_BATCH_SIZE, max(num_train, 2)),
        label_smoothing=0.1,
        ema_decay=0.99,
        weights=weights,
    )


def num_epochs(num_train: int) -> int:
    """Return the number of epochs: a fraction of training from scratch."""
    wanted = _MIN_EPOCHS + round(_EPOCH_IMAGES / num_train)
    return min(wanted, _MAX_EPOCHS)


def image_size_px(card: ModelCard, facts: PhotoFacts | None) -> int:
    """Return the side of the crop: that of the weights, or less for smaller photos.

    At least half the size that the weights were trained on, as their features need enough detail;
    at most 224 px, as larger sizes of published weights are evaluation sizes.
    """
    source_px = min(card.image_size_px, _MAX_SIDE_PX)
    short_px = source_px if facts is None else facts.short_side_px or source_px
    side = min(max(short_px, source_px // 2), source_px)
    return side if side == source_px else max(side // _SIDE_STEP_PX, 1) * _SIDE_STEP_PX


def view(card: ModelCard, size_px: int | None) -> ViewConfig:
    """Return the validation view of the weights, scaled to the size of the crop."""
    if size_px is None:
        return ViewConfig(interpolation=card.interpolation)
    resize_px = round(size_px * (card.resize_px or card.image_size_px) / card.image_size_px)
    return ViewConfig(resize_px=max(resize_px, size_px), interpolation=card.interpolation)
