"""Converts type A shortcuts with zero padding on both sides, by reordering channels.

Our networks append the zero channels. A network that puts half of them first becomes equivalent
after renumbering the channels of every stage: first those from the previous stage, in its order,
then the new ones. Nothing else changes, except the order of sums.

Source: akamaster/pytorch_resnet_cifar10, resnet.py (option A of arXiv 1512.03385, section 4.2).
"""

from __future__ import annotations

import torch

from resnext.errors import CheckpointError
from resnext.model.config import ResNeXtConfig

State = dict[str, torch.Tensor]


def move_padding_to_the_end(state: State, config: ResNeXtConfig) -> State:
    """Reorder the channels of a network whose type A shortcuts pad on both sides.

    Args:
        state: Its tensors under our names, in form (c); it is not changed.
        config: Its architecture.

    Returns:
        The state dict of the equivalent network.

    Raises:
        CheckpointError: An odd number of channels is added, which cannot be halved.
    """
    state = dict(state)
    last = "conv3" if config.block == "bottleneck" else "conv2"
    order = torch.arange(config.stem_width)
    for number, (width, blocks) in enumerate(
        zip(config.stage_widths, config.blocks_per_stage, strict=True), 1
    ):
        before, order = order, _order(order, width)
        for block in range(blocks):
            prefix = f"layer{number}.{block}."
            entering = before if block == 0 else order
            _renumber(state, f"{prefix}conv1.weight", entering, dim=1)
            _renumber(state, f"{prefix}{last}.weight", order, dim=0)
            if config.preactivation:
                _renumber_norm(state, f"{prefix}bn1", entering)
            else:
                _renumber_norm(state, f"{prefix}{last.replace('conv', 'bn')}", order)
    if config.preactivation:
        _renumber_norm(state, "norm", order)
    if "fc.weight" in state:
        _renumber(state, "fc.weight", order, dim=1)
    return state


def _order(before: torch.Tensor, width: int) -> torch.Tensor:
    """Return, for each of our channels of a stage, its number in the other network."""
    extra = width - len(before)
    if extra % 2:
        raise CheckpointError(
            f"its shortcuts add {extra} zero channels, which cannot be split half before and "
            "half after the others; give shortcut_padding='end' (--shortcut-padding end)"
        )
    half = extra // 2
    return torch.cat([before + half, torch.arange(half), torch.arange(width - half, width)])


def _renumber(state: State, name: str, order: torch.Tensor, dim: int) -> None:
    state[name] = state[name].index_select(dim, order)


def _renumber_norm(state: State, name: str, order: torch.Tensor) -> None:
    for tensor in ("weight", "bias", "running_mean", "running_var"):
        _renumber(state, f"{name}.{tensor}", order, dim=0)
