"""What a repository's config.json says about its weights, in timm's format or ours."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from resnext.class_lists import class_names
from resnext.errors import CheckpointError
from resnext.model.card import ModelCard

_IMAGENET_CLASSES = 1000


def card_from_hub(path: Path) -> ModelCard:
    """Read preprocessing and classes from a config.json as timm writes it.

    Args:
        path: The file, as it lies beside the weights.

    Returns:
        The card; what the file does not say keeps its default.

    Raises:
        CheckpointError: The file is no JSON object, or one of its figures is no figure.

    Source: timm/models/_hub.py (`pretrained_cfg`) and timm/data/config.py.
    """
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
        config = saved.get("pretrained_cfg", saved)
        return ModelCard(**_card_values(saved, config))
    except (OSError, ValueError, AttributeError, TypeError, KeyError, IndexError) as error:
        raise CheckpointError(f"{path}: does not describe weights ({error})") from None


def _card_values(saved: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {"classes": _classes(saved, config)}
    for name in ("mean", "std"):
        if name in config:
            values[name] = tuple(config[name])
    if config.get("interpolation") in ("bilinear", "bicubic"):
        values["interpolation"] = config["interpolation"]
    # The size and share at which timm measures, where they differ from those of training.
    size = config.get("test_input_size") or config.get("input_size")
    if size:
        share = config.get("test_crop_pct") or config.get("crop_pct") or 0.875
        values |= {"image_size_px": size[-1], "resize_px": math.floor(size[-1] / share)}
    if config.get("license"):
        values["licence"] = config["license"]
    return values


def _classes(saved: dict[str, Any], config: dict[str, Any]) -> tuple[str, ...]:
    names = saved.get("label_names") or config.get("label_names")
    if names:
        return tuple(names)
    is_imagenet = saved.get("num_classes", config.get("num_classes")) == _IMAGENET_CLASSES
    return class_names("imagenet1k") if is_imagenet else ()
