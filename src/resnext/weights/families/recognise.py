"""Which family the tensors of a file belong to, and the same tensors under our names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from resnext.errors import CheckpointError
from resnext.untrusted.text import printable
from resnext.weights.entry import Family
from resnext.weights.families.detectron2 import DETECTRON2
from resnext.weights.families.family import KeyFamily
from resnext.weights.families.mmpretrain import MMPRETRAIN
from resnext.weights.families.pycls import PYCLS
from resnext.weights.families.pytorchcv import PYTORCHCV
from resnext.weights.families.torchvision import TORCHVISION

State = dict[str, torch.Tensor]

FAMILIES = (TORCHVISION, MMPRETRAIN, PYCLS, PYTORCHCV, DETECTRON2)

_WRAPPERS = re.compile(r"^(?:module|model|_orig_mod|net|encoder)\.")
_PATHS = re.compile(r"layer\d{1,4}\.\d{1,4}\.paths\.\d{1,4}\.")


@dataclass(frozen=True)
class Recognised:
    """The tensors of a file under our names.

    Attributes:
        family: Whose names they had.
        state: The tensors: floating ones in float32, the first convolution for RGB.
        left_over: The file's names that the family's table does not know.
    """

    family: Family
    state: State
    left_over: tuple[str, ...]


def recognise(state: Mapping[str, torch.Tensor]) -> Recognised:
    """Find whose names a state dict has, and give its tensors ours.

    Args:
        state: Tensors by name, as a file holds them. Prefixes that wrappers such as
            `DataParallel` and `torch.compile` put before all names are taken off.

    Returns:
        The tensors under our names, with what no table knows.

    Raises:
        CheckpointError: No family's table knows the names.
    """
    state = strip_wrappers(state)
    family, names = max(
        ((family, _names(family, state)) for family in FAMILIES), key=lambda found: len(found[1])
    )
    if "conv1.weight" not in names.values():
        raise CheckpointError(_unknown_message(state))
    ours = {name: _as_float32(state[key]) for key, name in names.items()}
    if family.is_bgr and ours["conv1.weight"].shape[1] == 3:
        ours["conv1.weight"] = ours["conv1.weight"].flip(1)
    left_over = tuple(
        key for key in state if key not in names and not key.startswith(family.ignored)
    )
    return Recognised(family.name, add_batch_counts(ours), left_over)


def strip_wrappers(state: Mapping[str, torch.Tensor]) -> State:
    """Take off the prefixes that wrappers put before every name."""
    # The count of a `torch.optim.swa_utils.AveragedModel` stands beside the wrapped names.
    state = {name: tensor for name, tensor in state.items() if name != "n_averaged"}
    while state and (match := _WRAPPERS.match(next(iter(state)))):
        prefix = match[0]
        if not all(name.startswith(prefix) for name in state):
            break
        state = {name[len(prefix) :]: tensor for name, tensor in state.items()}
    return state


def add_batch_counts(state: State) -> State:
    """Add the counters of batches that older files and frozen BN lack; they count nothing."""
    counters = {
        f"{name.rpartition('.')[0]}.num_batches_tracked": torch.tensor(0)
        for name in state
        if name.endswith(".running_mean")
    }
    return {**counters, **state}


def _names(family: KeyFamily, state: Mapping[str, torch.Tensor]) -> dict[str, str]:
    """Map the file's names to ours, as far as the family's table goes."""
    names = {key: family.to_ours(key) for key in state}
    if family is TORCHVISION:  # our forms (a) and (b) keep their paths apart
        names.update({key: key for key in state if _PATHS.match(key)})
    return {key: name for key, name in names.items() if name is not None}


def _as_float32(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor


def _unknown_message(state: Mapping[str, torch.Tensor]) -> str:
    shown = ", ".join(printable(name[:60]) for name in list(state)[:4]) or "none"
    known = ", ".join(family.name for family in FAMILIES)
    return (
        f"its {len(state)} tensors ({shown}, ...) carry the names of no known family of residual "
        f"networks ({known}, timm, Torch7): convert the file to torchvision's names first"
    )
