"""Reads a repository's config.json, in timm's format or ours."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from resnext.class_lists import class_names
from resnext.errors import CheckpointError
from resnext.model.card import ModelCard
from resnext.model.config import ModelConfig, ResNeXtConfig
from resnext.untrusted.names import shown
from resnext.untrusted.parse import read_json
from resnext.weights.hub_architecture import check_architecture

MAX_HUB_CONFIG_BYTES = 16 << 20
MAX_CLASSES = 10**5
MAX_NAME_CHARS = 4096
MAX_SIDE_PX = 8192
"""Maximum image side; larger images could exhaust memory during preprocessing."""

_MIN_SHARE, _MAX_SHARE = 0.05, 20.0
_IMAGENET_CLASSES = 1000


def card_from_hub(path: Path) -> ModelCard:
    """Read preprocessing and classes from a config.json in timm's format.

    Args:
        path: The file next to the weights.

    Returns:
        The card; values missing from the file keep their defaults.

    Raises:
        CheckpointError: The file is not a JSON object, or a value is out of range.

    Source: timm/models/_hub.py (`pretrained_cfg`) and timm/data/config.py.
    """
    with _reading(path):
        saved = _group("the file", read_json(path, MAX_HUB_CONFIG_BYTES))
        return ModelCard(**_card_values(saved, _pretrained_cfg(saved)))


def check_named_architecture(path: Path, network: ModelConfig) -> bool:
    """Compare the architecture named in a config.json with that of the weights.

    Args:
        path: The file.
        network: The architecture of the weights.

    Returns:
        Whether the file names it, so that nothing has to be assumed.

    Raises:
        CheckpointError: The file is not a JSON object, or names another network, possibly with the
            same tensors.
    """
    with _reading(path):
        saved = _group("the file", read_json(path, MAX_HUB_CONFIG_BYTES))
        _pretrained_cfg(saved)
        return isinstance(network, ResNeXtConfig) and check_architecture(saved, network)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise CheckpointError(
            f"{path}: does not describe weights ({error}); download it again, or remove it to "
            "open them as a plain network with the usual preprocessing"
        ) from None


def _pretrained_cfg(saved: dict[str, Any]) -> dict[str, Any]:
    return _group("pretrained_cfg", saved.get("pretrained_cfg", saved))


def _card_values(saved: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {"classes": _classes(saved, config)}
    for name in ("mean", "std"):
        if name in config:
            values[name] = tuple(_number(name, one) for one in _list(name, config[name], 64))
    if config.get("interpolation") in ("bilinear", "bicubic"):
        values["interpolation"] = config["interpolation"]
    # The size and share at which timm measures, where they differ from those of training.
    size = config.get("test_input_size") or config.get("input_size")
    if size:
        values |= _sides(size, config.get("test_crop_pct") or config.get("crop_pct") or 0.875)
    if config.get("license"):
        values["licence"] = _text("license", config["license"])
    return values


def _sides(size: object, share: object) -> dict[str, int]:
    """Return the sides of the crop and of the resize before it, in pixels."""
    sides = _list("input_size", size, 4)
    share = _number("crop_pct", share)
    if not _MIN_SHARE <= share <= _MAX_SHARE:
        raise ValueError(f"crop_pct is {share:g}; it must be {_MIN_SHARE:g} to {_MAX_SHARE:g}")
    side = sides[-1]
    if type(side) is not int or not 1 <= side <= MAX_SIDE_PX:
        raise ValueError(f"input_size is {shown(size)}; a side must be 1 to {MAX_SIDE_PX} px")
    resized = math.floor(side / share)
    if not 1 <= resized <= MAX_SIDE_PX:
        raise ValueError(f"images would be resized to {resized:,} px; the maximum is {MAX_SIDE_PX}")
    return {"image_size_px": side, "resize_px": resized}


def _classes(saved: dict[str, Any], config: dict[str, Any]) -> tuple[str, ...]:
    names = saved.get("label_names") or config.get("label_names")
    if names:
        return tuple(
            _text("label_names", name) for name in _list("label_names", names, MAX_CLASSES)
        )
    if isinstance(labels := saved.get("id2label"), dict):  # of Hugging Face Transformers
        numbered = [labels.get(str(number)) for number in range(min(len(labels), MAX_CLASSES))]
        return tuple(_text("id2label", name) for name in numbered)
    is_imagenet = saved.get("num_classes", config.get("num_classes")) == _IMAGENET_CLASSES
    return class_names("imagenet1k") if is_imagenet else ()


def _group(name: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{name} is not a JSON object")
    return value


def _list(name: str, value: object, most: int) -> list[Any]:
    if not isinstance(value, list) or not 1 <= len(value) <= most:
        raise ValueError(f"{name} is not a list of 1 to {most:,} values: {shown(value)}")
    return value


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_NAME_CHARS:
        raise ValueError(f"{name}: {shown(value)} is not a text of at most {MAX_NAME_CHARS}")
    return value


def _number(name: str, value: object) -> float:
    # The first half leaves numbers only, which mypy does not see.
    if type(value) not in (int, float) or not abs(value) < 1e6:  # type: ignore[arg-type]
        raise ValueError(f"{name}: {shown(value)} is not a number below a million")
    return float(value)  # type: ignore[arg-type]  # it is one of the two
