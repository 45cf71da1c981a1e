"""Check the counts of registered parts against the modules that they build.

Parameters are checked exactly: a part's rule must count what its module has, and its output map
must match the next layer's input. Multiply-adds and activations are taken from the rule;
`resnext.complexity.verify` checks them against an execution.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache

from resnext.complexity.flow import Flow, Map
from resnext.complexity.shape import Shape, window_shape
from resnext.errors import ConfigError
from resnext.model.config import ResNeXtConfig
from resnext.model.parts import BlockPart, Part, ShortcutPart, StemPart
from resnext.model.plan import BlockPlan, StemPlan, plan_network

STEM = "conv1"
"""Name of the stem module."""


def count_stem(flow: Flow, stem: StemPart, config: ResNeXtConfig, image: Map) -> Map:
    """Run a registered stem on an image.

    Raises:
        ConfigError: Its rule does not match its module.
    """
    plan, first = plan_network(config).stem, len(flow.layers)
    x = stem.count(flow, STEM, image, config)
    _check_channels(stem, STEM, x, plan.out_channels)
    _check_parameters(stem, STEM, flow, first, _stem_parameters(plan, config))
    return x


def count_part(
    flow: Flow,
    part: BlockPart | ShortcutPart,
    name: str,
    x: Map,
    plan: BlockPlan,
    config: ResNeXtConfig,
) -> Map:
    """Run the branch of a registered block, or a registered shortcut.

    Raises:
        ConfigError: Its output map differs from the block's.
    """
    y = part.count(flow, name, x, plan, config)
    _check_map(part, name, x, y, plan)
    return y


@contextmanager
def checked_block(flow: Flow, name: str, plan: BlockPlan, config: ResNeXtConfig) -> Iterator[None]:
    """Check the counted parameters of a block with a registered part against its module.

    Raises:
        ConfigError: They differ.
    """
    first = len(flow.layers)
    yield
    part = config.block if isinstance(config.block, BlockPart) else config.shortcut
    if isinstance(part, Part):
        _check_parameters(
            part, name, flow, first, _block_parameters(replace(plan, index=0), config)
        )


@lru_cache(maxsize=4096)
def _block_parameters(plan: BlockPlan, config: ResNeXtConfig) -> int:
    import torch  # only a network with a registered part needs it for its count

    from resnext.model.build import build_block

    with torch.device("meta"):
        return sum(p.numel() for p in build_block(plan, config).parameters())


@lru_cache(maxsize=256)
def _stem_parameters(plan: StemPlan, config: ResNeXtConfig) -> int:
    import torch

    from resnext.model.build import build_stem

    with torch.device("meta"):
        return sum(p.numel() for p in build_stem(plan, config).parameters())


def _check_parameters(part: Part, name: str, flow: Flow, first: int, built: int) -> None:
    counted = sum(layer.parameters for layer in flow.layers[first:])
    if counted != built:
        raise ConfigError(
            f"{part.kind} {part.name!r}: {name} has {built:,} parameters, but its count gives "
            f"{counted:,}; {type(part).__name__}.count() must record each layer of the module"
        )


def _check_map(part: Part, name: str, x: Map, y: Map, plan: BlockPlan) -> None:
    wanted = window_shape(x.shape, plan.out_channels, 1, plan.stride)
    if y.shape != wanted:
        raise ConfigError(
            f"{part.kind} {part.name!r}: the count of {name} ends with a map of {_text(y.shape)}, "
            f"but the block's is {_text(wanted)}"
        )


def _check_channels(part: Part, name: str, x: Map, channels: int) -> None:
    if x.shape.channels != channels:
        raise ConfigError(
            f"{part.kind} {part.name!r}: the count of {name} ends with {x.shape.channels} "
            f"channels, but stem_width is {channels}"
        )


def _text(shape: Shape) -> str:
    return "x".join(map(str, (shape.channels, *shape.sides)))
