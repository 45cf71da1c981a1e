"""Trained weights for more spatial dimensions: images to volumes or video, signals to images."""

from __future__ import annotations

from typing import Literal, get_args

import torch

from resnext.errors import ConfigError
from resnext.model.config import ModelConfig, ResNeXtConfig
from resnext.model.convert import State

InflationRule = Literal["mean", "centre"]


def inflate(
    state: State, config: ModelConfig, ndim: int = 3, rule: InflationRule = "mean"
) -> tuple[State, ResNeXtConfig]:
    """Write a network's weights for inputs with more spatial dimensions.

    Each new dimension comes first: depth or time before the rows, rows before a signal's
    positions. Every kernel becomes as long along it as along the others (so do strides
    and pools, which is the architecture's doing), with one of two weights:

    `mean`    the old weight at every position, divided by their number k, as in I3D.
    `centre`  the old weight at the middle, zero elsewhere.

    On an input that is constant along the new dimensions, in evaluation mode:

    `mean` gives the old network's maps wherever no window has reached over the border.
    The border is padded with zeros, so the maps differ there, by more positions from
    layer to layer, and the logits, which average the whole map, are only close. 1x1
    convolutions are exact everywhere.

    `centre` never looks at the padding: maps and logits are the old network's everywhere,
    to rounding. Neighbours along the new dimensions mix only in the stem's max pool, until
    training fills the zeros.

    A convolution has k times its parameters for each new dimension under both rules.

    Args:
        state: State dict of a network built from `config`, in any form; it is not changed.
        config: The network's architecture.
        ndim: Spatial dimensions wanted; as many as there are change nothing.
        rule: What the kernels hold along the new dimensions.

    Returns:
        The state dict and the config that it fits. BN and the classifier are shared with
        the given state.

    Raises:
        ConfigError: There would be fewer dimensions, or more than 3; the rule is unknown;
            or the network is a baseline.

    Source: Carreira and Zisserman, arXiv 1705.07750, section 2.4 (`mean`); central-frame
    initialisation: Girdhar et al., arXiv 1712.09184.
    """
    if not isinstance(config, ResNeXtConfig):
        raise ConfigError(f"ndim={ndim}: {config.family} exists for images only")
    if rule not in get_args(InflationRule):
        raise ConfigError(f"rule={rule!r}: accepted are {', '.join(get_args(InflationRule))}")
    new = config.replace(ndim=ndim)
    if ndim < config.ndim:
        raise ConfigError(
            f"ndim={ndim}: the network has {config.ndim} spatial dimensions and inflation "
            f"only adds some; accepted are {config.ndim} to 3"
        )
    inflated = dict(state)
    for name, tensor in state.items():
        if tensor.ndim == config.ndim + 2:  # a convolution: BN has vectors, the head a matrix
            for _ in range(ndim - config.ndim):
                inflated[name] = _add_dimension(inflated[name], rule)
    return inflated, new


def _add_dimension(weight: torch.Tensor, rule: InflationRule) -> torch.Tensor:
    """Lengthen out x in x kernel to out x in x k x kernel."""
    side = weight.shape[-1]  # kernels are cubes
    if rule == "mean":
        return (weight / side).unsqueeze(2).repeat_interleave(side, dim=2)
    shape = (*weight.shape[:2], side, *weight.shape[2:])
    inflated = weight.new_zeros(shape)
    inflated[:, :, side // 2] = weight
    return inflated
