"""What the recipe for trained weights takes from the images and from the weights."""

from pathlib import Path

import pytest

from resnext.data.config import DataConfig
from resnext.model.card import ModelCard
from resnext.model.config import BaselineConfig, ModelConfig, ResNeXtConfig
from resnext.recipes.finetune import finetune
from resnext.recipes.photos import PhotoFacts
from resnext.runs.config import TrainConfig

PHOTOS = DataConfig(name="folder", root=Path("photos"))
IMAGENET = ModelCard()
LARGE_TEST = ModelCard(image_size_px=288, resize_px=288, interpolation="bicubic")
CIFAR = ModelCard(image_size_px=32, resize_px=None)


def _recipe(
    card: ModelCard = IMAGENET,
    num_train: int = 245,
    short_px: int | None = 500,
    data: DataConfig = PHOTOS,
    model: ModelConfig | None = None,
) -> TrainConfig:
    facts = PhotoFacts(num_train, short_px, has_gpu=False)
    return finetune(model or ResNeXtConfig(), data, Path("w"), card, facts)


@pytest.mark.parametrize(
    ("card", "short_px", "side", "resize"),
    [
        (IMAGENET, 500, 224, 256),
        (IMAGENET, None, 224, 256),
        (IMAGENET, 150, 144, 165),
        (IMAGENET, 30, 112, 128),  # half of what the weights saw, not less
        (LARGE_TEST, 500, 224, 224),
        (CIFAR, 500, 32, 32),
        (CIFAR, 8, 16, 16),
        (ModelCard(image_size_px=7, resize_px=8), 3, 16, 18),
    ],
)
def test_images_are_prepared_as_the_weights_saw_theirs(
    card: ModelCard, short_px: int | None, side: int, resize: int
) -> None:
    config = _recipe(card, short_px=short_px)
    assert config.data.image_size_px == side
    assert (config.view.resize_px, config.view.interpolation) == (resize, card.interpolation)


def test_a_size_that_was_asked_for_stays_and_the_view_follows_it() -> None:
    config = _recipe(data=PHOTOS.replace(image_size_px=112))
    assert (config.data.image_size_px, config.view.resize_px) == (112, 128)


@pytest.mark.parametrize(
    ("num_train", "epochs", "batch"), [(1, 40, 2), (20, 40, 20), (1000, 26, 32), (200_000, 6, 32)]
)
def test_length_and_batch_follow_the_number_of_images(
    num_train: int, epochs: int, batch: int
) -> None:
    config = _recipe(num_train=num_train)
    assert (config.schedule.epochs, config.batch_size) == (epochs, batch)


def test_the_classifier_is_first_and_early_layers_learn_least() -> None:
    config = _recipe()
    assert config.schedule.head_first > 0
    assert config.optim.layer_decay < 1 < config.optim.head_lr_factor
    assert config.weights == Path("w")


def test_networks_without_stages_and_sets_in_memory_have_the_recipe_too() -> None:
    assert _recipe(model=BaselineConfig(family="vgg16_bn")).optim.layer_decay == 1
    digits = _recipe(data=DataConfig(name="digits"))
    assert (digits.augment.flip, digits.data.image_size_px) == (False, None)
    assert digits.view.resize_px is None
