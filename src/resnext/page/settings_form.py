"""Turns the page's form into a network, or into one clear error message."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from resnext.complexity.count import default_side
from resnext.errors import ConfigError
from resnext.model.config import ResNeXtConfig
from resnext.model.names import config_from, list_models, name_of
from resnext.model.parts import Part
from resnext.model.registry import registered
from resnext.untrusted.parse import parse_json

# Anyone who can open the page can request any network; the time to count it grows with these.
MAX_BLOCKS = 500
MAX_PATHS = 10_000
"""Paths of all blocks together in forms (a) and (b), which are counted path by path."""

_MAX_NAME_CHARS = 100
_LARGEST = {
    "cardinality": 1024,
    "width": 1024,
    "input size": 2048,
    "classes": 1_000_000,
    "input channels": 1024,
}


@dataclass(frozen=True)
class Entered:
    """The controls of one network, in their order on the page.

    A number is None if its field is empty.

    Attributes:
        blocks: Blocks of each stage, such as `3-4-6-3`.
        cardinality: C.
        width: d, the bottleneck width of the first stage.
        form: a, b or c.
        block: bottleneck, basic, or a registered part as `choices` writes it.
        stem: imagenet, cifar or a registered part.
        input_size: Side of the input in pixels.
        num_classes: Classes of the head.
        in_channels: Channels of the input.
        shortcut: A, B, C, none, or a registered part.
        preactivation: BN and ReLU before the convolutions.
    """

    blocks: str
    cardinality: float | None
    width: float | None
    form: str
    block: str
    stem: str
    input_size: float | None
    num_classes: float | None
    in_channels: float | None
    shortcut: str
    preactivation: bool

    @classmethod
    def of(cls, config: ResNeXtConfig, input_size: int | None = None) -> Entered:
        """Return the values of the controls for a network."""
        return cls(
            blocks="-".join(str(number) for number in config.blocks_per_stage),
            cardinality=config.cardinality,
            width=config.bottleneck_width,
            form=config.form,
            block=_as_choice(config.block),
            stem=_as_choice(config.stem),
            input_size=input_size or default_side(config),
            num_classes=config.num_classes,
            in_channels=config.in_channels,
            shortcut=_as_choice(config.shortcut),
            preactivation=config.preactivation,
        )

    def values(self) -> tuple[Any, ...]:
        """Return the values in the order of the controls."""
        return tuple(getattr(self, field.name) for field in fields(self))

    def network(self) -> ResNeXtConfig:
        """Return the entered network.

        Raises:
            ConfigError: A value is missing, out of range, or conflicts with another.
        """
        config = ResNeXtConfig(
            blocks_per_stage=_blocks(self.blocks),
            cardinality=_whole("cardinality", self.cardinality),
            bottleneck_width=_whole("width", self.width),
            form=self.form,
            block=_from_choice(self.block),
            stem=_from_choice(self.stem),
            num_classes=_whole("classes", self.num_classes),
            in_channels=_whole("input channels", self.in_channels),
            shortcut=_from_choice(self.shortcut),
            preactivation=self.preactivation,
        )
        check_size(config)
        return config

    def side_px(self) -> int:
        """Return the side of the input in pixels.

        Raises:
            ConfigError: It is missing or out of range.
        """
        return _whole("input size", self.input_size)


def choices(builtin: Sequence[str], kind: type[Part], chosen: str) -> list[str]:
    """Return the choices of a control for blocks, stems or shortcuts.

    Args:
        builtin: The built-in names.
        kind: The kind of registered parts to add.
        chosen: The initial choice: a name, or a part with its own settings.
    """
    return list(dict.fromkeys([*builtin, *sorted(registered(kind)), chosen]))


def _as_choice(part: str | Part) -> str:
    """Write a part as its name, with its settings if they are not the defaults."""
    if isinstance(part, str):
        return part
    settings = part.model_dump(mode="json", exclude_defaults=True)
    return json.dumps({"name": part.name, **settings}) if settings else part.name


def _from_choice(choice: str) -> Any:
    return parse_json(choice) if choice.startswith("{") else choice


def named_network(name: str | None) -> ResNeXtConfig:
    """Return the network for a chosen or typed name.

    Raises:
        ConfigError: The name is unknown, or the network has no blocks to design.
    """
    if not (name or "").strip():
        raise ConfigError("enter the name of a network, such as resnext50_32x4d or resnext29_8x64d")
    if len(str(name)) > _MAX_NAME_CHARS:
        raise ConfigError(f"the name of a network has at most {_MAX_NAME_CHARS} characters")
    config = config_from(str(name))
    if not isinstance(config, ResNeXtConfig):
        raise ConfigError(
            f"{name!r} has no cardinality or width to design; choose a ResNet or ResNeXt"
        )
    check_size(config)
    return config


def known_names() -> list[str]:
    """Return the names of networks that have blocks to design."""
    return [name for name in list_models() if isinstance(config_from(name), ResNeXtConfig)]


def title_of(config: ResNeXtConfig) -> str:
    """Return the name of a network, with its form unless it is (c)."""
    return name_of(config) + (f", form ({config.form})" if config.form != "c" else "")


def check_size(config: ResNeXtConfig) -> None:
    """Refuse a network that would take too long to count.

    Raises:
        ConfigError: It has too many blocks, paths or channels.
    """
    if sum(config.blocks_per_stage) > MAX_BLOCKS:
        raise ConfigError(
            f"blocks per stage: {sum(config.blocks_per_stage):,} blocks exceed the page limit "
            f"of {MAX_BLOCKS}; `resnext describe` has no such limit"
        )
    if len(config.blocks_per_stage) > 8:  # widths double: the ninth stage would have 65,536
        raise ConfigError(
            f"blocks per stage: give at most 8 stages, not {len(config.stage_widths)}"
        )
    _whole("cardinality", config.cardinality)
    _whole("width", config.bottleneck_width)
    if num_paths(config) > MAX_PATHS:
        raise ConfigError(
            f"form ({config.form}): {num_paths(config):,} paths in all blocks exceed the page "
            f"limit of {MAX_PATHS:,}; use form (c), fewer blocks or a smaller cardinality"
        )


def num_paths(config: ResNeXtConfig) -> int:
    """Return how many paths are counted one by one; none in form (c)."""
    return 0 if config.form == "c" else sum(config.blocks_per_stage) * config.cardinality


def _blocks(text: str) -> tuple[int, ...]:
    parts = [part for part in re.split(r"[\s,;-]+", text.strip()) if part]
    if not parts or not all(part.isascii() and part.isdigit() and len(part) < 7 for part in parts):
        raise ConfigError(
            f"blocks per stage: {text[:60]!r} is not a list of whole numbers; write 3-4-6-3 or "
            "3, 3, 3"
        )
    return tuple(int(part) for part in parts)


def _whole(name: str, value: float | None) -> int:
    most = _LARGEST[name]
    if value is None:
        raise ConfigError(f"{name}: the field is empty; give a whole number from 1 to {most:,}")
    if not 1 <= value <= most or int(value) != value:
        raise ConfigError(f"{name}: {value:,.10g} is not a whole number from 1 to {most:,}")
    return int(value)
