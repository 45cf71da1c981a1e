"""Extracts the network's tensors from what a training script saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from resnext.errors import CheckpointError
from resnext.untrusted.text import printable

# Averaged weights come first: scripts evaluate and publish these. The names
# are those of timm, torchvision's references, mmengine, pycls, detectron2 and common scripts.
_WRAPPERS = (
    *("state_dict_ema", "model_ema", "ema_state", "ema_state_dict", "ema_model", "ema"),
    *("state_dict", "model_state_dict", "model_state", "model", "net", "network", "weights"),
)
# Words in the names of other state that training scripts save with a network.
_NOT_WEIGHTS = {"optimizer", "optim", "opt", "scheduler", "schedulers", "scaler", "rng", "loops"}
_DEEPEST = 6
_MAX_PLACE_CHARS = 100


def unwrap(saved: object) -> dict[str, torch.Tensor]:
    """Find the state dict in a saved object.

    Args:
        saved: A state dict, or dictionaries that contain one along with optimiser state, the epoch
            and so on. Averaged weights are preferred to plain ones.

    Returns:
        The tensors by name. Tensors in other nested dictionaries are prefixed with the dictionary's
        name and a dot.

    Raises:
        CheckpointError: There is none.
    """
    found: Any = saved
    for _ in range(_DEEPEST):
        if not isinstance(found, Mapping):
            break
        key = next((name for name in _WRAPPERS if _holds_tensors(found.get(name))), None)
        if key is None:
            break
        found = found[key]
    tensors = _flatten(found, "", set(), 0)
    if not tensors:
        raise CheckpointError(f"it contains no named tensors, but {_describe(saved)}")
    return tensors


def _holds_tensors(value: object, depth: int = 0, seen: set[int] | None = None) -> bool:
    """Return whether an object contains tensors, visiting each mapping only once."""
    seen = set() if seen is None else seen
    if not isinstance(value, Mapping) or depth == _DEEPEST or id(value) in seen:
        return False
    seen.add(id(value))
    return bool(_tensors(value)) or any(_holds_tensors(v, depth + 1, seen) for v in value.values())


def _flatten(value: object, prefix: str, seen: set[int], depth: int) -> dict[str, torch.Tensor]:
    """Collect tensors by name, visiting each mapping or list once, a few levels deep."""
    if not isinstance(value, Mapping | list | tuple) or depth == _DEEPEST or id(value) in seen:
        return {}
    seen.add(id(value))
    tensors = {prefix + name: tensor for name, tensor in _tensors(value).items()}
    inner = value.items() if isinstance(value, Mapping) else enumerate(value)
    for name, item in inner:
        if isinstance(item, Mapping | list | tuple) and _may_hold_weights(name):
            tensors |= _flatten(item, f"{prefix}{name}.", seen, depth + 1)
    return tensors


def _may_hold_weights(name: object) -> bool:
    if isinstance(name, str):
        is_short = len(name) <= _MAX_PLACE_CHARS
        return is_short and not _NOT_WEIGHTS & set(name.lower().split("_"))
    return isinstance(name, int)


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
