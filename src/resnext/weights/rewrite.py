"""Rewrites layers that our networks lack as equivalent layers that they have.

- A convolution's bias before BN only shifts the mean: BN(x + b) is BN with the mean m - b.
- A grouped 1x1 convolution is a dense one with zeros outside its blocks.
- A 1x1 stem is a 3x3 one with zeros around it.
"""

from __future__ import annotations

import re

import torch
from torch.nn import functional as F

from resnext.model.grouped_conv import merge_groups

State = dict[str, torch.Tensor]

_CONV = re.compile(r"(?P<place>.*?)(?:conv(?P<number>\d)|downsample\.0)\.bias")
_FIRST = re.compile(r"(?P<block>layer\d+\.\d+\.)conv1\.weight")

_MAX_GROUPS = 256
"""Limit for dense 1x1 convolutions, whose size is multiplied."""

_MAX_VALUES = 2**26


def rewrite(state: State) -> State:
    """Rewrite a network's layers as ours where that is exact.

    Args:
        state: Tensors under our names; it is not changed.

    Returns:
        The tensors; those that cannot be rewritten are unchanged and will not fit.
    """
    return _enlarge_stem(_make_dense(_fold_biases(state)))


def _fold_biases(state: State) -> State:
    """Fold biases into BN means, except in pre-activated networks, where BN is elsewhere."""
    if "norm.weight" in state:
        return state
    state = dict(state)
    for name in [name for name in state if _CONV.fullmatch(name)]:
        match = _CONV.fullmatch(name)
        assert match is not None
        norm = f"bn{match['number']}" if match["number"] else "downsample.1"
        prefix = f"{match['place']}{norm}.running_mean"
        if prefix in state and state[prefix].shape == state[name].shape:
            state[prefix] = (state[prefix].double() - state.pop(name).double()).float()
    return state


def _make_dense(state: State) -> State:
    """Make grouped 1x1 convolutions at the start of blocks dense."""
    dense = {}
    for name in state:
        if (match := _FIRST.fullmatch(name)) and f"{match['block']}conv3.weight" in state:
            weight = state[name]
            # What the block takes is what its shortcut gives: the projection's input, or its sum.
            shortcut = state.get(f"{match['block']}downsample.0.weight")
            last = state[f"{match['block']}conv3.weight"]
            if weight.ndim < 3 or last.ndim < 3 or (shortcut is not None and shortcut.ndim < 3):
                continue
            channels = last.shape[0] if shortcut is None else shortcut.shape[1]
            if (groups := _num_groups(weight, channels)) > 1:
                dense[name] = merge_groups(weight, groups, groups)
    return {**state, **dense}


def _num_groups(weight: torch.Tensor, channels: int) -> int:
    """Return the groups of a 1x1 convolution with `channels` inputs, 1 if it is not one."""
    out_channels, width, *kernel = weight.shape
    if any(side != 1 for side in kernel) or not width or channels % width:
        return 1
    groups = channels // width
    is_small = groups <= _MAX_GROUPS and out_channels * channels <= _MAX_VALUES
    return groups if is_small and out_channels % groups == 0 else 1


def _enlarge_stem(state: State) -> State:
    weight = state["conv1.weight"]
    if weight.ndim < 3 or any(side != 1 for side in weight.shape[2:]):
        return state
    return {**state, "conv1.weight": F.pad(weight, (1, 1) * (weight.ndim - 2))}
