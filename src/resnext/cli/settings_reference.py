"""Every setting of a training run, read from the config classes and the recipes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import docstring_parser

from resnext.data.config import DataConfig
from resnext.model.card import ModelCard
from resnext.model.config import ModelConfig, ResNeXtConfig
from resnext.model.parts import Part
from resnext.recipes.finetune import finetune
from resnext.recipes.presets import RECIPES, Recipe
from resnext.recipes.segmentation import segmentation
from resnext.runs.config import TrainConfig
from resnext.settings import Settings

_EXAMPLES = {
    "small images": DataConfig(name="cifar10"),
    "files": DataConfig(name="folder", root=Path("photos")),
}
_NOT_OF_RECIPES = ("recipe", "weights", "model.", "data.")


def _finetune(model: ModelConfig, data: DataConfig) -> TrainConfig:
    return finetune(model, data, Path("WEIGHTS"), ModelCard())


_ALL_RECIPES: dict[str, Recipe] = {
    **RECIPES,
    "finetune": _finetune,
    "segmentation": segmentation,
}


@dataclass(frozen=True)
class SettingRow:
    """One setting.

    Attributes:
        key: Its dotted name, as in `--set`.
        type: Accepted values.
        default: Its default, as YAML.
        meaning: Its description.
        recipes: Values in recipes that differ from the default.
    """

    key: str
    type: str
    default: str
    meaning: str
    recipes: dict[str, str]


def reference() -> list[SettingRow]:
    """Return all settings of a run: ungrouped ones first, then by group."""
    by_recipe = {
        (recipe, kind): dict(_values(build(ResNeXtConfig(), data)))
        for recipe, build in _ALL_RECIPES.items()
        for kind, data in _EXAMPLES.items()
    }
    settings = []
    for key, kind, default, meaning in _fields(TrainConfig(), ""):
        given = {recipe: _given(by_recipe, recipe, key) for recipe in _ALL_RECIPES}
        chosen = {} if key.startswith(_NOT_OF_RECIPES) else given
        recipes = {recipe: value for recipe, value in chosen.items() if value != default}
        settings.append(SettingRow(key, kind, default, meaning, recipes))
    return sorted(settings, key=lambda setting: "." in setting.key)


def _given(by_recipe: dict[tuple[str, str], dict[str, str]], recipe: str, key: str) -> str:
    """Format a recipe's value of a setting, by the kind of images if it depends on that."""
    values = {where: by_recipe[recipe, where][key] for where in _EXAMPLES}
    if len(set(values.values())) == 1:
        return values.popitem()[1]
    return ", ".join(f"{value} for {where}" for where, value in values.items())


def _values(settings: Settings, prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if value is None:
            value = _group(field.annotation)
        if isinstance(value, Settings):
            yield from _values(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _shown(value)


def _fields(settings: Settings, prefix: str) -> Iterator[tuple[str, str, str, str]]:
    meanings = _meanings(type(settings))
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if value is None:
            value = _group(field.annotation)
        if isinstance(value, Settings):
            yield from _fields(value, f"{prefix}{name}.")
        else:
            kind = _type_text(field.annotation)
            yield f"{prefix}{name}", kind, _shown(value), meanings[name]


def _group(annotation: Any) -> Settings | None:
    """Return the defaults of a group of settings that is unset by default."""
    groups = [part for part in get_args(annotation) if isinstance(part, type)]
    found = next((part for part in groups if issubclass(part, Settings)), None)
    return None if found is None or issubclass(found, Part) else found()


def _meanings(owner: type) -> dict[str, str]:
    found = {}
    for base in reversed(owner.__mro__):
        for attribute in docstring_parser.parse(base.__doc__ or "").params:
            found[attribute.arg_name] = " ".join((attribute.description or "").split())
    return found


_TYPE_NAMES = {
    bool: "true|false",
    int: "integer",
    float: "number",
    str: "text",
    Path: "path",
    NoneType: "null",
}


def _shown(value: Any) -> str:
    return json.dumps(value, default=str)


def _type_text(annotation: Any) -> str:
    """Format a type in terms of YAML."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type_text(inner[0])
    if origin is Literal:
        return "|".join(map(str, inner))
    if origin in (Union, UnionType):
        return " or ".join(_type_text(part) for part in inner)
    if origin is tuple:
        parts = inner[:1] if inner[-1] is Ellipsis else inner
        return f"[{', '.join(map(_type_text, parts))}{', ...' if len(inner) > len(parts) else ''}]"
    if origin is dict:
        return f"{{NAME: {_type_text(inner[1])}, ...}}"
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return f"a registered {annotation.kind}"
    return _TYPE_NAMES[annotation]
