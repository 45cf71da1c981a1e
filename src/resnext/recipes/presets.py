"""The recipes: two from the paper, a modern long one, and one for a small budget."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from resnext.data.augment.config import AugmentConfig
from resnext.data.config import DataConfig
from resnext.data.set_names import BOX_SETS, PYTHON
from resnext.model.config import ModelConfig
from resnext.runs.config import OptimConfig, ScheduleConfig, TrainConfig

if TYPE_CHECKING:
    from resnext.recipes.photos import PhotoFacts

Recipe = Callable[[ModelConfig, DataConfig], TrainConfig]


def imagenet(model: ModelConfig, data: DataConfig) -> TrainConfig:
    """Return the paper's ImageNet recipe.

    Source: arXiv 1611.05431, section 4 and the released code (100 epochs, colour jitter 0.4,
    lighting 0.1); batch 256, learning rate 0.1 divided by 10 every 30 epochs.
    """
    augment = base_augment(data)
    if augment.crop == "resized":
        augment = augment.replace(color_jitter=0.4, lighting=0.1)
    return TrainConfig(
        recipe="imagenet",
        model=model,
        data=data,
        augment=augment,
        optim=OptimConfig(lr=0.1, lr_batch_size=256, weight_decay=1e-4),
        schedule=ScheduleConfig(kind="step", epochs=100, milestones=(0.3, 0.6, 0.9)),
        batch_size=256,
    )


def cifar(model: ModelConfig, data: DataConfig) -> TrainConfig:
    """Return the paper's CIFAR recipe.

    Source: arXiv 1611.05431, appendix A: batch 128, weight decay 5e-4, 300 epochs, learning
    rate 0.1 divided by 10 at epochs 150 and 225.
    """
    return TrainConfig(
        recipe="cifar",
        model=model,
        data=data,
        augment=base_augment(data),
        optim=OptimConfig(lr=0.1, lr_batch_size=128, weight_decay=5e-4),
        schedule=ScheduleConfig(kind="step", epochs=300, milestones=(0.5, 0.75)),
        batch_size=128,
    )


def modern(model: ModelConfig, data: DataConfig) -> TrainConfig:
    """Return a long recipe with today's regularisation, for the best accuracy.

    Source of the choices: torchvision's "new recipe" for ResNet-50
    (https://pytorch.org/blog/how-to-train-state-of-the-art-models-using-torchvision-latest-primitives/),
    halved in length.
    """
    return TrainConfig(
        recipe="modern",
        model=model,
        data=data,
        augment=base_augment(data).replace(
            policy="trivialaugment", erasing=0.1, mixup=0.2, cutmix=1.0
        ),
        optim=OptimConfig(lr=0.125, lr_batch_size=256, weight_decay=2e-5, decay_norm=False),
        schedule=ScheduleConfig(kind="cosine", epochs=300, warmup=1 / 60),
        batch_size=256,
        label_smoothing=0.1,
        ema_decay=0.9998,
    )


def fast(model: ModelConfig, data: DataConfig, facts: PhotoFacts | None = None) -> TrainConfig:
    """Return the recipe for the best accuracy in a small budget.

    One cycle of the learning rate, label smoothing, averaged weights. Image files: AdamW with
    clipped gradients, which does not diverge on small sets as SGD does, crops of at least a third
    of the image, and enough epochs to give a small set enough steps. Data sets in memory: SGD,
    small batches and little cropping, tuned on Fashion-MNIST (docs/benchmarks/fashion-mnist.md).

    Args:
        model: The network.
        data: The images.
        facts: Facts about image files; without them, the length suits a few thousand images.
    """
    if is_small(data):
        return TrainConfig(
            recipe="fast",
            model=model,
            data=data,
            augment=base_augment(data).replace(pad_px=1),
            optim=OptimConfig(lr=0.4, lr_batch_size=128, weight_decay=5e-4, decay_norm=False),
            schedule=ScheduleConfig(kind="onecycle", epochs=30, warmup=0.2),
            batch_size=32,
            label_smoothing=0.1,
            ema_decay=0.99,
        )
    return TrainConfig(
        recipe="fast",
        model=model,
        data=data if facts is None else data.replace(image_size_px=facts.image_size_px),
        augment=base_augment(data).replace(area=(0.35, 1.0)),
        optim=OptimConfig(
            kind="adamw",
            lr=1e-3,
            lr_batch_size=32,
            weight_decay=0.05,
            decay_norm=False,
            clip_norm=1.0,
        ),
        schedule=ScheduleConfig(
            kind="cosine", epochs=30 if facts is None else facts.epochs, warmup=0.2
        ),
        batch_size=32,
        label_smoothing=0.1,
        ema_decay=0.99,
        size_schedule=(0.6, 0.8, 1.0),
    )


RECIPES: dict[str, Recipe] = {
    "fast": fast,
    "modern": modern,
    "imagenet": imagenet,
    "cifar": cifar,
}


def base_augment(data: DataConfig) -> AugmentConfig:
    """Return the standard crop and flip of a data set.

    Small images are padded and cropped back; image files are cropped at a random size. Digits are
    not mirrored, as a mirrored digit is a different symbol.
    """
    if data.name == "digits":
        return AugmentConfig(crop="pad", pad_px=1)
    if is_small(data):
        return AugmentConfig(crop="pad", pad_px=4, flip=True)
    return AugmentConfig(crop="resized", flip=True)


def default_model(data: DataConfig, facts: PhotoFacts | None = None) -> str:
    """Return the default network."""
    if facts is not None:
        return facts.model
    if data.name == "digits":
        return "resnext_1-1-1_8x8d_cifar"
    return "resnext29_8x64d" if is_small(data) else "resnext50_32x4d"


def is_small(data: DataConfig) -> bool:
    """Return whether a data set is held in memory, with images of at most 32 pixels."""
    others = ("imagenet", "folder", "shards", "table", "masks", PYTHON, *BOX_SETS)
    return data.name not in others
