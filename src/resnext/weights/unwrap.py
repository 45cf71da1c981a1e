"""From what a training script saved to the tensors of its network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from resnext.errors import CheckpointError
from resnext.untrusted.text import printable

# Averaged weights come first, as they are what a training evaluates and publishes. The names
# are those of timm, torchvision's references, mmengine, pycls, detectron2 and common scripts.
_PLACES = (
    "state_dict_ema",
    "model_ema",
    "ema_state",
    "state_dict",
    "model_state_dict",
    "model_state",
    "model",
    "net",
    "weights",
)
_DEEPEST = 4


def unwrap(saved: object) -> dict[str, torch.Tensor]:
    """Find the state dict in a saved object.

    Args:
        saved: A state dict, or dictionaries that hold one beside an optimiser's state, the
            epoch and the like. Averaged weights are preferred to plain ones.

    Returns:
        The tensors by name.

    Raises:
        CheckpointError: There is none.
    """
    found: Any = saved
    for _ in range(_DEEPEST):
        if not isinstance(found, Mapping):
            break
        place = next((name for name in _PLACES if _holds_tensors(found.get(name))), None)
        if place is None:
            break
        found = found[place]
    tensors = _tensors(found)
    if not tensors:
        raise CheckpointError(f"it holds no tensors by name, but {_describe(saved)}")
    return tensors


def _holds_tensors(value: object, depth: int = 0, seen: set[int] | None = None) -> bool:
    """Look for tensors, into each mapping once: a file can refer to one a million times."""
    seen = set() if seen is None else seen
    if not isinstance(value, Mapping) or depth == _DEEPEST or id(value) in seen:
        return False
    seen.add(id(value))
    return bool(_tensors(value)) or any(_holds_tensors(v, depth + 1, seen) for v in value.values())


def _tensors(value: object) -> dict[str, torch.Tensor]:
    if not isinstance(value, Mapping):
        return {}
    return {
        name: tensor
        for name, tensor in value.items()
        if isinstance(name, str) and isinstance(tensor, torch.Tensor)
    }


def _describe(saved: object) -> str:
    if isinstance(saved, Mapping):
        # Only texts: writing out nested keys can take any time.
        names = [printable(name[:60]) for name in list(saved)[:6] if isinstance(name, str)]
        return f"entries named {', '.join(names) or 'nothing'}"
    return f"a {type(saved).__name__}"
