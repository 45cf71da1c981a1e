"""Converts weights between the forms (a), (b) and (c) of the block, exactly.

A path's tensor is a slice of the grouped form's: of its output channels, except for the last 1x1,
whose input channels are sliced. Only slices and concatenations are used, so a round trip gives the
same bits.
"""

from __future__ import annotations

import torch

from resnext.model.choices import Form
from resnext.model.config import ResNeXtConfig
from resnext.model.plan import BlockPlan, plan_network

State = dict[str, torch.Tensor]


def convert_form(state: State, config: ResNeXtConfig, to: Form) -> State:
    """Convert the weights of a network to another form of its blocks.

    Args:
        state: State dict of a network built from `config`, in `config.form`.
        config: The network's architecture.
        to: The new form.

    Returns:
        The state dict of the same network with `config.replace(form=to)`. Tensors that
        both forms share are not copied.
    """
    if config.form == to:
        return dict(state)
    state = _to_grouped(state, config) if config.form != "c" else dict(state)
    return _to_paths(state, config, to) if to != "c" else state


def _to_grouped(state: State, config: ResNeXtConfig) -> State:
    state = dict(state)
    for block, plan in _blocks(config):
        for layer in _split_layers(config.form, preactivation=config.preactivation):
            for name in _tensor_names(layer):
                parts = [
                    state.pop(f"{block}.paths.{path}.{layer}.{name}")
                    for path in range(plan.cardinality)
                ]
                state[f"{block}.{layer}.{name}"] = (
                    torch.cat(parts, _split_dim(layer)) if parts[0].ndim else parts[0]
                )
    return state


def _to_paths(state: State, config: ResNeXtConfig, to: Form) -> State:
    state = dict(state)
    for block, plan in _blocks(config):
        for layer in _split_layers(to, preactivation=config.preactivation):
            for name in _tensor_names(layer):
                whole = state.pop(f"{block}.{layer}.{name}")
                for path, part in enumerate(_split(whole, plan.cardinality, _split_dim(layer))):
                    state[f"{block}.paths.{path}.{layer}.{name}"] = part
    return state


def _split(whole: torch.Tensor, parts: int, dim: int) -> list[torch.Tensor]:
    """Copy a tensor's slices; a scalar (BN's batch count) is copied to each path."""
    if not whole.ndim:
        return [whole.clone() for _ in range(parts)]
    return [part.contiguous() for part in whole.tensor_split(parts, dim)]


def _blocks(config: ResNeXtConfig) -> list[tuple[str, BlockPlan]]:
    return [
        (f"layer{plan.stage + 1}.{plan.index}", plan)
        for stage in plan_network(config).stages
        for plan in stage
    ]


def _split_layers(form: Form, *, preactivation: bool) -> tuple[str, ...]:
    """Return the names of the layers inside the paths."""
    norms = ("bn2", "bn3") if preactivation else ("bn1", "bn2")
    return ("conv1", "conv2", *norms) + (("conv3",) if form == "a" else ())


def _tensor_names(layer: str) -> tuple[str, ...]:
    if layer.startswith("conv"):
        return ("weight",)
    return ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


def _split_dim(layer: str) -> int:
    return 1 if layer == "conv3" else 0
