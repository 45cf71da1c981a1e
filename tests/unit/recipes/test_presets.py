"""The recipes say what the paper says."""

import pytest

from resnext.data.config import DataConfig
from resnext.model.config import ResNeXtConfig
from resnext.recipes.presets import RECIPES, cifar, imagenet
from resnext.training.schedule import lr_factor, peak_lr

IMAGENET = DataConfig(name="imagenet", root="/data")


def test_the_imagenet_recipe_is_the_papers() -> None:
    config = imagenet(ResNeXtConfig(), IMAGENET)
    optim, augment = config.optim, config.augment
    assert (config.batch_size, config.schedule.epochs) == (256, 100)
    assert (optim.momentum, optim.nesterov, optim.weight_decay) == (0.9, True, 1e-4)
    assert (augment.crop, augment.flip) == ("resized", True)
    assert (augment.color_jitter, augment.lighting) == (0.4, 0.1)
    rates = [
        peak_lr(optim, 256) * lr_factor(config.schedule, epoch, 100) for epoch in (0, 30, 60, 90)
    ]
    assert rates == pytest.approx([0.1, 0.01, 0.001, 0.0001])
    assert optim.decay_norm
    assert config.label_smoothing == 0


def test_the_cifar_recipe_is_the_papers() -> None:
    config = cifar(
        ResNeXtConfig(stem="cifar", blocks_per_stage=(3, 3, 3)), DataConfig(name="cifar10")
    )
    assert (config.batch_size, config.schedule.epochs) == (128, 300)
    assert config.optim.weight_decay == 5e-4
    assert (config.augment.crop, config.augment.pad_px, config.augment.flip) == ("pad", 4, True)
    rates = [lr_factor(config.schedule, epoch, 300) for epoch in (149, 150, 224, 225)]
    assert rates == pytest.approx([1, 0.1, 0.1, 0.01])
    assert peak_lr(config.optim, 64) == pytest.approx(0.05)


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_fits_every_data_set_and_names_itself(name: str) -> None:
    for data in (IMAGENET, DataConfig(name="digits"), DataConfig(name="cifar100")):
        assert RECIPES[name](ResNeXtConfig(), data).recipe == name


def test_digits_are_never_mirrored() -> None:
    for recipe in RECIPES.values():
        assert not recipe(ResNeXtConfig(), DataConfig(name="digits")).augment.flip
