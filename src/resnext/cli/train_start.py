"""What `resnext train` starts from: the weights, the images, and the recipe for them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from resnext.cli.train_weights import Start, choose_pretrained, open_start
from resnext.data.config import DataConfig
from resnext.data.sets.parse import parse_data
from resnext.errors import ConfigError
from resnext.model.names import config_from
from resnext.recipes.finetune import finetune
from resnext.recipes.presets import RECIPES, default_model, fast
from resnext.recipes.segmentation import (
    DEFAULT_HEAD,
    default_segmenter,
    put_head,
    segmentation,
)
from resnext.runs.config import TrainConfig
from resnext.settings import override_all
from resnext.training.restart import begun_settings

if TYPE_CHECKING:
    from resnext.cli.train import Train
    from resnext.recipes.photos import PhotoFacts


def start_of(arguments: Train) -> tuple[Start | None, str]:
    """Open the weights to start from: those named, or --pretrained's, and say what was chosen.

    Raises:
        ResNeXtError: Flags contradict each other, or there are no such weights.
    """
    accept = arguments.accept_licence
    data = None if arguments.config is not None else _data(arguments)  # before any download
    if not arguments.pretrained:
        if arguments.weights is not None:
            return open_start(arguments.weights, accept_licence=accept), ""
        if accept:
            raise ConfigError(
                "--accept-licence is for --weights NAME and --pretrained; leave it out"
            )
        return None, ""
    if arguments.weights is not None or data is None:
        other = "--weights" if arguments.weights is not None else "--config"
        raise ConfigError(f"--pretrained chooses the weights to start from; leave out {other}")
    begun = begun_settings(arguments.out, goes_on=arguments.continue_)
    if begun is not None and begun.weights is not None:
        return open_start(begun.weights, accept_licence=accept), ""
    device = arguments.device or "auto"
    name, note = choose_pretrained(data, arguments.model, device, accept_licence=accept)
    return open_start(name, accept_licence=accept), note


def from_recipe(arguments: Train, start: Start | None) -> TrainConfig:
    """Return the settings of the recipe that was named, or that suits data and weights.

    Raises:
        ConfigError: The recipe needs weights.
        DataError: The images are missing, or nothing can be trained on them.
    """
    data = _data(arguments)
    if data.name == "masks":
        return _with_masks(arguments, data, start)
    if arguments.head is not None:
        raise ConfigError(
            f"--head {arguments.head} gives every pixel a class, and {data.label} has no masks; "
            "leave it out, or give a folder with images/ and masks/"
        )
    recipe = _recipe(arguments, start)
    suits_data = recipe == "finetune" or (recipe == "fast" and start is None)
    facts = _look(arguments, data) if suits_data else None
    if start is not None and arguments.model is None:
        model = start.weights.config
    else:
        model = config_from(arguments.model or default_model(data, facts))
    if recipe == "finetune":
        assert start is not None
        return finetune(model, data, start.name, start.weights.card, facts)
    if recipe == "fast":
        return fast(model, data, facts)
    return RECIPES[recipe](model, data)


def _with_masks(arguments: Train, data: DataConfig, start: Start | None) -> TrainConfig:
    """Return the settings for images with masks: the network under a head, and its own recipe."""
    if arguments.recipe not in (None, "segmentation"):
        raise ConfigError(
            f"--recipe {arguments.recipe} is for classes of whole images; leave it out: "
            "masks have a recipe of their own"
        )
    facts = _look(arguments, data)
    if arguments.model is not None:
        model = put_head(config_from(arguments.model), arguments.head)
    elif start is not None:
        model = put_head(start.weights.config, arguments.head)
    else:
        model = default_segmenter(data, facts, arguments.head or DEFAULT_HEAD)
    return segmentation(model, data, facts, None if start is None else start.name)


def _recipe(arguments: Train, start: Start | None) -> str:
    """Return the recipe: the one named, or that for weights, or that for none."""
    if arguments.recipe is not None:
        if arguments.recipe == "finetune" and start is None:
            raise ConfigError(
                "--recipe finetune starts from weights; give --weights or --pretrained"
            )
        return arguments.recipe
    if start is None:
        return "fast"
    begun = begun_settings(
        arguments.out, goes_on=arguments.continue_
    )  # until there was a recipe for it, weights were trained by `fast`
    return "fast" if begun is not None and begun.recipe == "fast" else "finetune"


def _data(arguments: Train) -> DataConfig:
    """Return the data set, with what the flags say of it: size, columns, classes, splits."""
    data = parse_data(arguments.data or "digits").replace(image_size_px=arguments.image_size)
    changes = [text for text in arguments.set if text.startswith("data.")]
    return override_all(TrainConfig(data=data), changes).data


def _look(arguments: Train, data: DataConfig) -> PhotoFacts | None:
    """Look at the images, which the recipe is to suit."""
    if data.name not in ("folder", "table", "masks"):
        return None
    from resnext.cli.photo_facts import look
    from resnext.runs.runtime import resolve_device

    device = resolve_device(arguments.device or "auto")
    facts = look(data, has_gpu=device.type != "cpu")
    if facts is not None and arguments.image_size is not None:
        facts = replace(facts, short_side_px=arguments.image_size)
    return facts
