"""Finds the classifier of a file, under any name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch

from resnext.weights.families.extra import is_counter, is_no_layer
from resnext.weights.families.locate import parts_of

State = Mapping[str, torch.Tensor]

_NAMES = (
    *("fc", "linear", "classifier", "head", "last_linear", "output", "logits", "out"),
    *("cls", "cls_head", "classification_head", "final", "final_fc", "dense", "top_layer"),
)
_MAX_PLACES = 8
# In contrastive training, an embedding takes the classifier's place.
_EMBEDDING = {"q", "query", "online"}


@dataclass(frozen=True)
class Head:
    """The layers after the last stage.

    Attributes:
        module: The linear layer's name in the file; None if there is no classifier.
        tensors: Its weight and bias under our names.
        dropped: Tensors of heads that are not single-layer classifiers.
        is_guessed: Whether its name is unusual.
    """

    module: str | None
    tensors: dict[str, torch.Tensor]
    dropped: tuple[str, ...] = ()
    is_guessed: bool = False


def find_head(state: State, prefix: str, taken: set[str], channels: int) -> Head:
    """Find the linear classifier: next to the network's own layers, or further out.

    Dropout before it shifts its number (`fc.1`). A head with several layers, such as a projection
    head, is not supported and is left out.

    Args:
        state: The file's tensors.
        prefix: Prefix of the network.
        taken: Names of the network's own tensors.
        channels: Output channels of the last stage.
    """
    dropped: list[str] = []
    for start in _starts(prefix):
        for name in _NAMES:
            keys = [key for key in _below(state, start + name) if key not in taken]
            layer = _only_linear(state, keys)
            if layer is None or parts_of(prefix) & _EMBEDDING:
                dropped += keys
            else:
                return Head(layer, _tensors(state, layer), tuple(dropped))
    if not dropped and (layer := _unnamed(state, prefix, taken, channels)):
        return Head(layer, _tensors(state, layer), is_guessed=True)
    return Head(None, {}, tuple(dropped))


def _starts(prefix: str) -> Iterator[str]:
    """Yield the prefix and, step by step, its parents."""
    for _ in range(_MAX_PLACES):
        yield prefix
        if not prefix:
            return
        prefix = prefix.rstrip(".").rpartition(".")[0]
        prefix = f"{prefix}." if prefix else ""


def _below(state: State, name: str) -> list[str]:
    return [key for key in state if key.startswith(f"{name}.") and not is_counter(key, state[key])]


def _only_linear(state: State, keys: list[str]) -> str | None:
    """Return the module of a weight matrix, with or without a bias, if there is nothing else."""
    layer = next((key.removesuffix(".weight") for key in keys if key.endswith(".weight")), None)
    if layer is None or not set(keys) <= {f"{layer}.weight", f"{layer}.bias"}:
        return None
    return layer if _is_matrix(state[f"{layer}.weight"]) else None


def _unnamed(state: State, prefix: str, taken: set[str], channels: int) -> str | None:
    """Return the only matrix that fits after the last stage, if there is one."""
    found = [
        key.removesuffix(".weight")
        for key, tensor in state.items()
        if key.startswith(prefix)
        and key.endswith(".weight")
        and key not in taken
        and not is_no_layer(key.removeprefix(prefix), tensor)
        and _is_matrix(tensor)
        and tensor.shape[1] == channels
    ]
    return found[0] if len(found) == 1 and "." not in found[0].removeprefix(prefix) else None


def _is_matrix(weight: torch.Tensor) -> bool:
    """Return whether a tensor is a matrix, or a 1x1 convolution, which is equivalent."""
    return weight.ndim >= 2 and all(side == 1 for side in weight.shape[2:])


def _tensors(state: State, layer: str) -> dict[str, torch.Tensor]:
    weight = state[f"{layer}.weight"].flatten(1)
    bias = state.get(f"{layer}.bias", weight.new_zeros(len(weight)))
    return {"fc.weight": weight, "fc.bias": bias}
