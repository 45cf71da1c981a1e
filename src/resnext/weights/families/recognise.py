"""Maps the network in a file to our names, and separates it from the rest of the file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from resnext.errors import CheckpointError
from resnext.untrusted.text import printable
from resnext.weights.entry import Family
from resnext.weights.families.extra import is_counter, is_no_layer
from resnext.weights.families.family import TENSORS, Padding
from resnext.weights.families.head import Head, find_head
from resnext.weights.families.locate import FAMILIES, Located, locate
from resnext.weights.families.mmpretrain import is_mmpretrain
from resnext.weights.rewrite import rewrite

State = dict[str, torch.Tensor]

MAX_NETWORKS = 100
"""Maximum number of networks in a file: a student, teachers, averages, an ensemble."""

_NUM_SHOWN = 3


@dataclass(frozen=True)
class Recognised:
    """The tensors of a file under our names.

    Attributes:
        family: Library whose names they used.
        state: The tensors: floating point in float32, the first convolution for RGB.
        left_over: The file's names of layers of the network that ours lacks.
        names: Our names with the file's.
        padding: Where type A shortcuts pad in the code that uses these names.
        notes: What a user should know: what was left out or guessed.
    """

    family: Family
    state: State
    left_over: tuple[str, ...]
    names: Mapping[str, str]
    padding: Padding | None = None
    notes: tuple[str, ...] = ()


def recognise(state: Mapping[str, torch.Tensor]) -> Recognised:
    """Find the network of a state dict and map its tensors to our names.

    Args:
        state: Tensors by name as in the file, with any prefix.

    Returns:
        The tensors under our names, and those that no table covers.

    Raises:
        CheckpointError: No family's table matches the names.
    """
    networks = locate(state)
    if not networks:
        raise CheckpointError(_unknown_message(state))
    if len(networks) > MAX_NETWORKS:
        raise CheckpointError(
            f"it contains {len(networks):,} networks, more than the limit of {MAX_NETWORKS}; "
            "save the state dict of one of them"
        )
    network = networks[0]
    names = _tensor_names(network, state)
    channels = _channels_at_the_end(names, state)
    head = find_head(state, network.prefix, set(names), channels)
    ours = {name: _as_float32(state[key]) for key, name in names.items()}
    ours |= {name: _as_float32(tensor) for name, tensor in head.tensors.items()}
    if network.family.is_bgr and ours["conv1.weight"].shape[1] == 3:
        ours["conv1.weight"] = ours["conv1.weight"].flip(1)
    left_over, left_out = _sort_rest(state, networks, names, head)
    return Recognised(
        family="mmpretrain" if is_mmpretrain(network.prefix, head.module) else network.family.name,
        state=add_batch_counts(rewrite(ours)),
        left_over=left_over,
        names={name: key for key, name in names.items()},
        padding=_padding(network, head),
        notes=_notes(networks, head, left_out),
    )


def add_batch_counts(state: State) -> State:
    """Add the batch counters that older files and frozen BN lack; they have no effect."""
    counters = {
        f"{name.rpartition('.')[0]}.num_batches_tracked": torch.tensor(0)
        for name in state
        if name.endswith(".running_mean")
    }
    return {**counters, **state}


def _tensor_names(network: Located, state: Mapping[str, torch.Tensor]) -> dict[str, str]:
    """Map the file's tensor names to ours, one to one.

    A block with two projections of different names has a layer that ours lacks.
    """
    found: dict[str, str] = {}
    for module, ours in network.modules.items():
        for tensor in TENSORS:
            if f"{module}.{tensor}" in state:
                found.setdefault(f"{ours}.{tensor}", f"{module}.{tensor}")
    return {key: name for name, key in found.items()}


def _channels_at_the_end(names: dict[str, str], state: Mapping[str, torch.Tensor]) -> int:
    """Return the channels of the last stage, 0 if its last convolution is missing."""
    keys = {name: key for key, name in names.items()}
    stages = [int(match[1]) for name in keys if (match := _STAGE.match(name))]
    prefix = f"layer{max(stages, default=1)}.0."
    for layer in ("conv3", "paths.0.conv3", "conv2"):
        if key := keys.get(f"{prefix}{layer}.weight"):
            return state[key].shape[0] if state[key].ndim else 0
    return 0


_STAGE = re.compile(r"layer(\d+)\.")


def _sort_rest(
    state: Mapping[str, torch.Tensor], networks: list[Located], names: dict[str, str], head: Head
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split the remaining tensors into layers of this network, and all others.

    Tensors below the common prefix of network and head belong to the network.
    """
    dropped = set(head.dropped)
    prefix, others = networks[0].prefix, tuple(other.prefix for other in networks[1:])
    own = _common_prefix(prefix, head.module)
    known = {*names, f"{head.module}.weight", f"{head.module}.bias"}
    rest = [key for key in state if key not in known and not is_counter(key, state[key])]
    left_out = [
        key
        for key in rest
        if not key.startswith(own)
        or key in dropped
        or is_no_layer(key.removeprefix(own), state[key])
        or any(len(other) > len(prefix) and key.startswith(other) for other in others)
    ]
    layers = set(rest) - set(left_out)
    return tuple(key for key in rest if key in layers), tuple(left_out)


def _common_prefix(prefix: str, head: str | None) -> str:
    while head is not None and not head.startswith(prefix):
        prefix = prefix.rstrip(".").rpartition(".")[0]
        prefix = f"{prefix}." if prefix else ""
    return prefix


def _padding(network: Located, head: Head) -> Padding | None:
    """Return the padding; torchvision's names with `linear` are akamaster's networks."""
    is_akamaster = network.family.name == "torchvision" and head.module is not None
    if is_akamaster and (head.module or "").rpartition(".")[2] == "linear":
        return "both"
    return network.family.padding


def _notes(networks: list[Located], head: Head, left_out: tuple[str, ...]) -> tuple[str, ...]:
    notes = []
    if len(networks) > 1:
        taken, *others = (f"{printable(network.prefix) or 'no prefix'}" for network in networks)
        notes.append(f"using {taken} of {len(networks)} networks, not {_some(others)}")
    if head.is_guessed:
        notes.append(f"using {printable(head.module or '')} as the classifier")
    if head.dropped and head.module is None:
        notes.append(f"left out {_some(head.dropped)}, which are not a single-layer classifier")
    if extra := sorted(set(left_out) - set(head.dropped)):
        notes.append(f"left out, not part of the network: {_some(extra)}")
    return tuple(notes)


def _as_float32(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor


def _some(names: list[str] | tuple[str, ...]) -> str:
    shown = ", ".join(printable(name[:60]) for name in names[:_NUM_SHOWN])
    more = len(names) - _NUM_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def _unknown_message(state: Mapping[str, torch.Tensor]) -> str:
    shown = ", ".join(printable(name[:60]) for name in list(state)[:4]) or "none"
    known = ", ".join(family.name for family in FAMILIES)
    return (
        f"its {len(state)} tensors ({shown}, ...) match no known family of residual networks "
        f"({known}, mmpretrain, timm, Torch7): no first convolution and block has one of their "
        "names; rename the tensors as in torchvision's resnet50"
    )
