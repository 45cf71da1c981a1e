"""Other cardinalities of the same function: C x d paths as C/m x (m·d), and back.

m neighbouring groups of the 3x3 convolutions become one group whose weight is block-diagonal; the
zeros add nothing to any sum. Only those weights change: every other layer sees C·d channels
regardless of the groups.

Legend: g groups of the wider form, m groups merged into one, o output and i input channels
of one narrow group, k positions of the kernel.
"""

from __future__ import annotations

import torch

from resnext.errors import ConfigError
from resnext.model.config import ModelConfig, ResNeXtConfig
from resnext.model.convert import State, convert_form
from resnext.model.grouped_conv import merge_groups
from resnext.model.parts import BlockPart
from resnext.model.plan import plan_network


def regroup(state: State, config: ModelConfig, cardinality: int) -> tuple[State, ResNeXtConfig]:
    """Convert a network's weights to another cardinality without changing its function.

    Fewer, wider groups are always possible. Each 3x3 convolution then has m times the parameters
    and multiply-adds, most of them zeros that training can fill: the network gains capacity and
    costs more. More, narrower groups are only possible if the weights are already block-diagonal,
    with exact zeros elsewhere; nonzero weights are never dropped.

    Args:
        state: State dict of a network built from `config`, in any form; it is not changed.
        config: The network's architecture.
        cardinality: The new C: a divisor of the current one, or a multiple by a factor that divides
            the bottleneck width.

    Returns:
        The state dict and the config that it fits, in the same form and with the same C·d. All
        weight values are unchanged; tensors that both states share are not copied.

    Raises:
        ConfigError: The network has no groups, the cardinality is not one of those, or a layer to
            be split mixes channels of different groups.

    Source: arXiv 1611.05431, section 3.3 (grouped convolutions).
    """
    config = _check(config, cardinality)
    width = config.cardinality * config.bottleneck_width // cardinality
    new = config.replace(cardinality=cardinality, bottleneck_width=width)
    if cardinality == config.cardinality:
        return dict(state), new
    grouped = convert_form(state, config, to="c")
    change = _merge if cardinality < config.cardinality else _split
    grouped |= change(grouped, _grouped_layers(config), config.cardinality, cardinality)
    return convert_form(grouped, new.replace(form="c"), to=config.form), new


def split_groups(weight: torch.Tensor, groups: int, split: int) -> torch.Tensor | None:
    """Convert the weight of a grouped convolution to more, narrower groups.

    The inverse of `merge_groups`.

    Args:
        weight: Channels out x channels in of one group x kernel.
        groups: Groups of the convolution.
        split: Number of groups to split each one into; divides both channel counts of a group.

    Returns:
        Channels out x (channels in of one group / split) x kernel, or None if a weight outside the
        blocks is not exactly zero.
    """
    out_channels, width, *kernel = weight.shape
    rows, columns = out_channels // (groups * split), width // split
    w_gmomik = weight.reshape(groups, split, rows, split, columns, -1)
    w_gmoik = w_gmomik.diagonal(dim1=1, dim2=3).movedim(-1, 1)
    narrow = w_gmoik.reshape(out_channels, columns, *kernel)
    return narrow if torch.equal(merge_groups(narrow, groups * split, split), weight) else None


def _check(config: ModelConfig, cardinality: int) -> ResNeXtConfig:
    if not isinstance(config, ResNeXtConfig):
        raise ConfigError(f"cardinality={cardinality}: {config.family} has no grouped convolutions")
    if config.block == "basic":
        raise ConfigError(
            f"cardinality={cardinality}: the 3x3 convolutions of basic blocks are dense and have "
            "no groups to merge or split; only block='bottleneck' can be regrouped"
        )
    if isinstance(config.block, BlockPart):
        raise ConfigError(
            f"cardinality={cardinality}: only block='bottleneck' can be regrouped, and this "
            f"network has the block {config.block.name!r}"
        )
    present, width = config.cardinality, config.bottleneck_width
    accepted = [c for c in range(1, present + 1) if present % c == 0]
    accepted += [present * m for m in range(2, width + 1) if width % m == 0]
    if cardinality not in accepted:
        raise ConfigError(
            f"cardinality={cardinality}: a {config.template} network can be written with "
            f"{', '.join(map(str, accepted))}: a divisor of its cardinality, or a multiple "
            f"whose factor divides its bottleneck width"
        )
    return config


def _grouped_layers(config: ResNeXtConfig) -> list[str]:
    return [
        f"layer{plan.stage + 1}.{plan.index}.conv2"
        for stage in plan_network(config).stages
        for plan in stage
    ]


def _merge(state: State, layers: list[str], present: int, wanted: int) -> State:
    return {
        f"{layer}.weight": merge_groups(state[f"{layer}.weight"], present, present // wanted)
        for layer in layers
    }


def _split(state: State, layers: list[str], present: int, wanted: int) -> State:
    parts = {
        layer: split_groups(state[f"{layer}.weight"], present, wanted // present)
        for layer in layers
    }
    mixing = [layer for layer, weight in parts.items() if weight is None]
    if mixing:
        more = f" and {len(mixing) - 1} more" if len(mixing) > 1 else ""
        raise ConfigError(
            f"cardinality={wanted}: {mixing[0]}{more} mixes channels that would be in different "
            "groups: its weight is not block-diagonal with exact zeros elsewhere; keep "
            f"cardinality={present}, or train a network of cardinality {wanted}"
        )
    return {f"{layer}.weight": weight for layer, weight in parts.items() if weight is not None}
