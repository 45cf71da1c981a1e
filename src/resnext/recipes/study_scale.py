"""Shared settings of the named studies: the paper's, and a scale for two cores."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from resnext.data.config import DataConfig
from resnext.data.set_names import BOX_SETS
from resnext.data.sets.facts import KNOWN
from resnext.data.sets.masks.target import has_mask_targets
from resnext.errors import ConfigError
from resnext.model.choices import Head
from resnext.model.config import ResNeXtConfig
from resnext.model.detector_config import DetectorHead
from resnext.model.names import config_from
from resnext.recipes.detection import default_detector, detection, fit_size
from resnext.recipes.presets import RECIPES, is_small
from resnext.recipes.segmentation import put_head, segmentation
from resnext.runs.config import TrainConfig
from resnext.settings import override_all

Scale = Literal["paper", "small"]

# Characters of a folder's name that the name of a study, which is a folder too, does without
_NOT_IN_NAMES = re.compile(r"[^a-z0-9._-]+")
# Side in pixels that small studies give to images from files
_SMALL_SIDE_PX = 112
# Short side in pixels that they give to images with boxes, whose objects are smaller than images
_SMALL_BOXES_PX = 160
# Side in pixels up to which a small network has the CIFAR stem
_MAX_CIFAR_PX = 32
_SMALL_EPOCHS = 10


@dataclass(frozen=True)
class SignalFit:
    """How the trials of a study suit one set of signals.

    Attributes:
        settings: The recipe for its kind, with the network that `train` would take.
        sides: Sides of what a network receives, besides the channels.
        shape: What the set decides of a network: `ndim`, `in_channels`, `num_classes`.
    """

    settings: TrainConfig
    sides: tuple[int, ...]
    shape: Mapping[str, int]


@dataclass(frozen=True)
class Choice:
    """The user's choices for a named study.

    Attributes:
        scale: The paper's networks and recipe, or ones that two cores can train.
        data: The data sets; empty takes the paper's.
        seeds: The seeds; empty takes the study's default.
        recipe: Recipe that replaces the scale's.
        changes: Settings to change in every trial, such as `schedule.epochs=20`.
        head: Head of all designs, for images with masks or boxes.
        signals: One for each of the data sets, where they hold signals; empty for images.
    """

    scale: Scale = "paper"
    data: tuple[DataConfig, ...] = ()
    seeds: tuple[int, ...] = ()
    recipe: str | None = None
    changes: tuple[str, ...] = ()
    head: Head | DetectorHead | None = None
    signals: tuple[SignalFit, ...] = ()

    @property
    def is_paper(self) -> bool:
        """Whether it uses the paper's networks and recipe, which are for images."""
        return self.scale == "paper" and not self.signals

    def name(self, study: str) -> str:
        """Name the study by its scale and data, so that each has its own folder."""
        sets = [_NOT_IN_NAMES.sub("-", data.label.lower()) for data in self.data]
        return "-".join([study, *([] if self.is_paper else ["small"]), *sets])

    def note(self, small: str) -> str:
        """Describe how the study relates to the paper.

        Args:
            small: Description of the small networks.
        """
        if self.is_paper:
            return "The paper's networks and recipe."
        recipe = "the recipe that train takes" if self.signals else "a short recipe"
        return (
            f"Small scale: {small}; {recipe}. It follows the logic of the paper's "
            "comparison with smaller networks, so do not expect the paper's numbers."
        )


# Settings of a trial that a study says in another way
_SAID_OTHERWISE = {
    "seed": "use --seeds (in a file: seeds) for the seeds",
    "recipe": "use --recipe (in a file: recipe) for the recipe",
    "keep": "trials always keep the last weights, so that none are selected by their error",
    "model": "the designs define the networks",
    "data.name": "use --data (in a file: data) for the images",
    "data.root": "use --data NAME:FOLDER for the location of the images",
    "runtime.threads": "use --threads for the threads",
}


def refuse_said_otherwise(keys: Iterable[str]) -> None:
    """Check that no change conflicts with how a study sets it.

    Args:
        keys: Names of settings, or texts such as `schedule.epochs=10`.

    Raises:
        ConfigError: A study sets one of them in another way.
    """
    for key in keys:
        name = key.partition("=")[0]
        for said, how in _SAID_OTHERWISE.items():
            if name == said or name.startswith(f"{said}."):
                raise ConfigError(f"{name} cannot be set for a study: {how}")


def settings_for(choice: Choice, recipe: str, default: str = "imagenet") -> tuple[TrainConfig, ...]:
    """Return the settings of the trials on each data set.

    Args:
        choice: What was chosen.
        recipe: The paper's recipe of this study.
        default: The paper's data set of this study.
    """
    refuse_said_otherwise(choice.changes)
    if choice.signals:
        return tuple(override_all(fit.settings, choice.changes) for fit in choice.signals)
    chosen = choice.recipe or (recipe if choice.is_paper else "fast")
    return tuple(
        override_all(_base_settings(choice, chosen, data), choice.changes)
        for data in data_of(choice, default)
    )


def _base_settings(choice: Choice, recipe: str, data: DataConfig) -> TrainConfig:
    if not choice.is_paper and not is_small(data) and data.image_size_px is None:
        side_px = _SMALL_BOXES_PX if data.name in BOX_SETS else _SMALL_SIDE_PX
        data = data.replace(image_size_px=side_px)
    settings = recipe_settings(recipe, data, is_chosen=choice.recipe is not None)
    if choice.is_paper or data.name in BOX_SETS:
        return settings
    return settings.replace(schedule=settings.schedule.replace(epochs=_SMALL_EPOCHS))


def recipe_settings(recipe: str, data: DataConfig, *, is_chosen: bool) -> TrainConfig:
    """Return the settings of a recipe; masks have `segmentation`, and boxes `detection`.

    Args:
        recipe: Its name.
        data: The data.
        is_chosen: Whether the user named the recipe.

    Raises:
        ConfigError: There is no such recipe, or it does not suit the data.
    """
    if data.name in BOX_SETS:
        if is_chosen and recipe != "detection":
            raise ConfigError(
                f"recipe={recipe!r}: in studies, images with boxes have one recipe, detection; "
                "leave out the recipe"
            )
        model = fit_size(default_detector(None, None), data, None)
        return detection(model, data).replace(task="detection")
    if has_mask_targets(data):
        if is_chosen and recipe != "segmentation":
            raise ConfigError(
                f"recipe={recipe!r}: images with masks have one recipe, segmentation; leave out "
                "the recipe"
            )
        settings = segmentation(put_head(ResNeXtConfig(), None), data)
        return settings.replace(task="segmentation")
    if recipe not in RECIPES:
        raise ConfigError(f"recipe={recipe!r}: recipes are {', '.join(RECIPES)}")
    return RECIPES[recipe](ResNeXtConfig(), data)


def data_of(choice: Choice, default: str = "imagenet") -> tuple[DataConfig, ...]:
    """Return the chosen data sets, or the paper's, expected in a folder of that name.

    Raises:
        ConfigError: A small study has no data.
    """
    if choice.data:
        return choice.data
    if not choice.is_paper:
        raise ConfigError("a small study needs images: add --data digits or --data FOLDER")
    needs_root = default == "imagenet"
    return (DataConfig(name=default, root=Path(default).absolute() if needs_root else None),)


def input_size(choice: Choice) -> int | tuple[int, ...]:
    """Return the side of images, or the sides of signals, that a small study counts costs with."""
    return choice.signals[0].sides if choice.signals else _sides_px(choice)[0]


def side_px(choice: Choice) -> int:
    """Return the side of the images of a small study.

    Raises:
        ConfigError: It has no images.
    """
    if choice.signals:
        raise ConfigError(
            f"{choice.data[0].label} holds signals, and this study tests other crops of images; "
            "take the study cardinality, table3 or table4, or write one in a file"
        )
    return _sides_px(choice)[0]


def _sides_px(choice: Choice) -> list[int]:
    """Return the image side of each data set, after `choice.changes`."""
    sets = [settings.data for settings in settings_for(choice, "fast")]
    return [data.image_size_px or KNOWN[data.name].image_size_px for data in sets]


def paper_network(name: str) -> ResNeXtConfig:
    """Return a network of the paper by name; cardinality 1 may be written as a ResNeXt."""
    config = config_from(name)
    assert isinstance(config, ResNeXtConfig)
    return config


def small_network(choice: Choice, *, num_blocks: int, share: int = 2) -> ResNeXtConfig:
    """Return the dense base network of a small study.

    It is the paper's template with all widths divided: three stages after a CIFAR stem for images
    of at most 32 pixels, or after the ImageNet stem for larger ones; four for images with boxes,
    as heads of detectors need. For signals the stem is that of the network that `train` takes.

    Args:
        choice: What was chosen.
        num_blocks: Blocks of each stage.
        share: Divisor of the paper's widths.
    """
    num_stages = 4 if any(data.name in BOX_SETS for data in choice.data) else 3
    is_small = bool(choice.signals) or max(_sides_px(choice)) <= _MAX_CIFAR_PX
    config = ResNeXtConfig(
        stem="cifar" if is_small else "imagenet",
        blocks_per_stage=(num_blocks,) * num_stages,
        cardinality=1,
        bottleneck_width=64 // share,
        stage_widths=tuple(256 // share * 2**stage for stage in range(num_stages)),
        stem_width=32 // share,
    )
    if not choice.signals:
        return config
    usual = choice.signals[0].settings.model
    assert isinstance(usual, ResNeXtConfig)  # the only family for signals
    return config.replace(stem=usual.stem, **choice.signals[0].shape)
