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
    """Convert a network's weights to inputs with more spatial dimensions.

    Each new dimension comes first: depth or time before the rows, rows before a signal's positions.
    Every kernel gets the same size along it as along the others (as do strides and pools), with one
    of two rules:

    `mean`    the old weight at every position, divided by their number k, as in I3D.
    `centre`  the old weight at the middle, zero elsewhere.

    On an input that is constant along the new dimensions, in evaluation mode:

    `mean` gives the old network's maps wherever no window has crossed the border. The border is
    padded with zeros, so the maps differ there, by more positions with each layer, and the logits,
    which average the whole map, are only close. 1x1 convolutions are exact everywhere.

    `centre` ignores the padding: maps and logits equal the old network's everywhere, up to
    rounding. Neighbours along the new dimensions mix only in the stem's max pool, until training
    fills the zeros.

    With both rules a convolution has k times the parameters for each new dimension.

    Args:
        state: State dict of a network built from `config`, in any form; it is not changed.
        config: The network's architecture.
        ndim: New number of spatial dimensions; the current number changes nothing.
        rule: Weights of the kernels along the new dimensions.

    Returns:
        The state dict and the config that it fits. BN and the classifier are shared with
        the given state.

    Raises:
        ConfigError: `ndim` is less than now or more than 3; the rule is unknown; or the network is
            a baseline.

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
            f"ndim={ndim}: the network has {config.ndim} spatial dimensions, and inflation can "
            f"only add dimensions; accepted are {config.ndim} to 3"
        )
    inflated = dict(state)
    for name, tensor in state.items():
        if tensor.ndim == config.ndim + 2:  # a convolution: BN has vectors, the head a matrix
            for _ in range(ndim - config.ndim):
                inflated[name] = _add_dimension(inflated[name], rule)
    return inflated, new


def _add_dimension(weight: torch.Tensor, rule: InflationRule) -> torch.Tensor:
    """Expand out x in x kernel to out x in x k x kernel."""
    side = weight.shape[-1]  # kernels are cubes
    if rule == "mean":
        return (weight / side).unsqueeze(2).repeat_interleave(side, dim=2)
    shape = (*weight.shape[:2], side, *weight.shape[2:])
    inflated = weight.new_zeros(shape)
    inflated[:, :, side // 2] = weight
    return inflated
