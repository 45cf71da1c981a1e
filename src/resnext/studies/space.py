"""Design spaces: a list, a grid, a family of equal cost, or random samples within a cost range."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Field, NonNegativeInt, PositiveFloat

from resnext.complexity.budget import Budget, By, InputSize, Scope
from resnext.complexity.solve import equal_cost_family
from resnext.errors import ConfigError
from resnext.model.config import ModelConfig, ResNeXtConfig
from resnext.model.names import config_from, name_of
from resnext.settings import Settings
from resnext.studies.study import MAX_DESIGNS, Design, check_depth
from resnext.untrusted.names import shown

_MAX_NAME = 100
MAX_FAMILY = 100
"""Maximum cardinalities of a family; the width of each needs a search."""

_Number = Annotated[int, Field(ge=1, le=10_000)]

# A name, a name with some settings changed ({name: resnet50, shortcut: none}), or a config
Network = str | ResNeXtConfig | dict[str, Any]


class ListSpace(Settings):
    """A list of networks.

    Attributes:
        networks: Names, or names with changed settings and an optional `label`.
    """

    kind: Literal["list"]
    networks: Annotated[tuple[Network, ...], Field(min_length=1, max_length=MAX_DESIGNS)]


class GridSpace(Settings):
    """All combinations of given settings.

    Attributes:
        base: Network whose settings are varied.
        vary: Values of each setting: {cardinality: [1, 8], bottleneck_width: [4, 16]}.
    """

    kind: Literal["grid"]
    base: Network
    vary: Annotated[dict[str, tuple[Any, ...]], Field(min_length=1)]


class EqualCostSpace(Settings):
    """For each cardinality, the bottleneck width closest to a network's cost.

    Attributes:
        like: Network whose cost is matched and whose other settings are kept.
        cardinality: The cardinalities.
        by: Cost to keep equal.
        scope: One block of the first stage, as in the paper's table 2, or the whole network.
        factor: Multiple of the cost to match; 2 doubles it.
    """

    kind: Literal["equal_cost"]
    like: Network
    cardinality: Annotated[tuple[_Number, ...], Field(min_length=1, max_length=MAX_FAMILY)]
    by: By = "params"
    scope: Scope = "block"
    factor: Annotated[float, Field(gt=0, le=1e6)] = 1.0


class RandomSpace(Settings):
    """Random networks within a cost window.

    Attributes:
        base: Provides the stem, the widths and all other settings that are not sampled.
        num: Number of networks to sample.
        by: Cost that the window limits.
        window: Lowest and highest cost, as fractions of the cost of `like`.
        like: Reference network of the window; by default the base.
        blocks: Minimum and maximum blocks of a stage, sampled log-uniformly.
        cardinality: Cardinalities to choose from.
        bottleneck_width: Widths to choose from.
        seed: Seed of the sampling.
    """

    kind: Literal["random"]
    base: Network
    num: Annotated[int, Field(ge=1, le=MAX_DESIGNS)] = 32
    by: By = "macs"
    window: tuple[PositiveFloat, PositiveFloat] = (0.8, 1.2)
    like: Network | None = None
    blocks: tuple[_Number, _Number] = (1, 6)
    cardinality: Annotated[tuple[_Number, ...], Field(min_length=1)] = (1, 2, 4, 8, 16, 32)
    bottleneck_width: Annotated[tuple[_Number, ...], Field(min_length=1)] = (
        *(4, 6, 8, 12, 16, 24, 32, 48, 64),
    )
    seed: NonNegativeInt = 0


Space = Annotated[ListSpace | GridSpace | EqualCostSpace | RandomSpace, Field(discriminator="kind")]

_DRAWS_PER_DESIGN = 1000
_FAR = 0.25  # a design that is further off the cost, as a share, is not of equal cost


Shape = Mapping[str, int]
"""What the data set of a network: `ndim`, `in_channels`, `num_classes`; empty for images."""


def network(given: Network, shape: Shape = MappingProxyType({})) -> ResNeXtConfig:
    """Resolve a network of a space.

    Args:
        given: As the space says it.
        shape: What the data set of it.

    Raises:
        ConfigError: It is not a residual network's name, or a setting is wrong.
    """
    if isinstance(given, ResNeXtConfig):
        return check_depth(given.replace(**shape))
    changes = dict(given) if isinstance(given, dict) else {"name": given}
    name = changes.pop("name", None)
    changes.pop("label", None)
    if not isinstance(name, str):
        raise ConfigError(f"network {shown(given)} has no name; use {{name: resnet50, ...}}")
    config = _named(name).replace(**changes, **shape)
    if not isinstance(config, ResNeXtConfig):
        raise ConfigError(f"{shown(name)} has no cardinality to vary; use a ResNet or ResNeXt")
    return check_depth(config)


def _named(name: str) -> ModelConfig:
    if len(name) > _MAX_NAME:
        raise ConfigError(f"network {shown(name)}: a name has at most {_MAX_NAME} characters")
    return config_from(name)


def expand(
    space: Space, input_size: InputSize = None, shape: Shape = MappingProxyType({})
) -> tuple[Design, ...]:
    """Return all designs of a space.

    Args:
        space: The space.
        input_size: Side of the images in pixels, or the sides of signals, for costs; by default the
            network's input size.
        shape: What the data set of every network.

    Raises:
        ConfigError: A network is wrong, or the window of a random space is (nearly) empty.
    """
    if isinstance(space, ListSpace):
        return tuple(_listed(given, shape) for given in space.networks)
    if isinstance(space, GridSpace):
        return tuple(_grid(space, shape))
    if isinstance(space, EqualCostSpace):
        return _equal_cost(space, input_size, shape)
    return tuple(_draw(space, input_size, shape))


def _listed(given: Network, shape: Shape) -> Design:
    is_any = isinstance(given, str) and not shape  # also a network without cardinality
    config = _named(str(given)) if is_any else network(given, shape)
    if isinstance(given, str):
        return Design(label=given, model=config)  # as written, for those who compare by it
    label = given.get("label") if isinstance(given, dict) else None
    return Design(label=label or name_of(config), model=check_depth(config))


def _grid(space: GridSpace, shape: Shape) -> Iterator[Design]:
    num = math.prod(len(values) for values in space.vary.values())
    if num > MAX_DESIGNS:
        raise ConfigError(f"the grid has {num:,} designs; a study has at most {MAX_DESIGNS:,}")
    base = network(space.base, shape)
    for values in itertools.product(*space.vary.values()):
        changes = dict(zip(space.vary, values, strict=True))
        config = base.replace(**changes)
        parts = [f"{key}={value}" for key, value in changes.items() if key not in _IN_TEMPLATE]
        template = [config.template] if _IN_TEMPLATE & changes.keys() else []
        yield Design(label=", ".join([*template, *parts]), model=config)


_IN_TEMPLATE = {"cardinality", "bottleneck_width"}


def _equal_cost(space: EqualCostSpace, input_size: InputSize, shape: Shape) -> tuple[Design, ...]:
    like = network(space.like, shape)
    budget = Budget.like(like, space.by, space.scope, input_size, space.factor)
    solutions = equal_cost_family(like, space.cardinality, budget)
    for solution in solutions:
        if abs(solution.deviation) > _FAR:
            raise ConfigError(
                f"cardinality {solution.config.cardinality}: the closest design, "
                f"{solution.config.template}, costs {1 + solution.deviation:.2f} times as many "
                f"{space.by} as {name_of(like)}, which is not equal cost; leave it out, or list "
                "the networks"
            )
    return tuple(
        Design(label=s.config.template, model=s.config, column=s.config.template) for s in solutions
    )


def _draw(space: RandomSpace, input_size: InputSize, shape: Shape) -> Iterator[Design]:
    base = network(space.base, shape)
    if space.window[0] >= space.window[1] or space.blocks[0] > space.blocks[1]:
        raise ConfigError(f"window={space.window}, blocks={space.blocks}: give (lowest, highest)")
    target = Budget.like(
        network(space.like or space.base, shape), space.by, "network", input_size
    ).target
    low, high = (share * target for share in space.window)
    budget = Budget(space.by, target, "network", input_size)
    draw = random.Random(space.seed)
    seen: set[str] = set()
    for _ in range(_DRAWS_PER_DESIGN * space.num):
        config = base.replace(
            blocks_per_stage=tuple(_blocks(draw, space) for _ in base.blocks_per_stage),
            cardinality=draw.choice(space.cardinality),
            bottleneck_width=draw.choice(space.bottleneck_width),
        )
        label = name_of(config)
        if label in seen or not low <= budget.cost_of(config) <= high:
            continue
        seen.add(label)
        yield Design(label=label, model=config)
        if len(seen) == space.num:
            return
    raise ConfigError(
        f"only {len(seen)} of {space.num} designs are within {low:.4g} to {high:.4g} {space.by}; "
        "widen the window, or the choices of blocks, cardinality and bottleneck_width"
    )


def _blocks(draw: random.Random, space: RandomSpace) -> int:
    low, high = space.blocks
    return min(high, int(math.exp(draw.uniform(math.log(low), math.log(high + 1)))))
