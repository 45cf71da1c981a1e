"""Checks that a file contains exactly one network: no missing or extra tensors."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from resnext.errors import CheckpointError
from resnext.model.config import ResNeXtConfig
from resnext.model.names import name_of
from resnext.model.network import ResNeXt
from resnext.untrusted.text import printable
from resnext.weights.families.recognise import Recognised
from resnext.weights.own_file import misfit, shape_text

_MAX_SHOWN = 120


def check_fit(found: Recognised, config: ResNeXtConfig) -> None:
    """Compare a file's tensors with the network that was inferred from them.

    The classifier may be missing, as in backbones.

    Raises:
        CheckpointError: Tensors are missing, extra, or differ in shape; the message lists them and
            names the closest network.
    """
    with torch.device("meta"):
        wanted = ResNeXt(config).state_dict()
    if "fc.weight" not in found.state:
        del wanted["fc.weight"], wanted["fc.bias"]
    unknown = {name: torch.empty(0) for name in found.left_over}
    if complaint := misfit(wanted, {**found.state, **unknown}):
        raise CheckpointError(
            f"its shapes are closest to {name_of(config)}, but do not fit it: "
            f"{_first_difference(wanted, found)}. In total: {complaint}. Extra tensors belong to "
            "layers that this family of networks does not have (squeeze-excitation, a deep stem, "
            "...); missing ones were not saved or cut off"
        )


def _first_difference(wanted: Mapping[str, torch.Tensor], found: Recognised) -> str:
    """Describe the first tensor, in the network's order, that differs or is missing."""
    for name, tensor in wanted.items():
        here = found.state.get(name)
        if here is None:
            return f"the first difference is {name} ({shape_text(tensor)}), which it lacks"
        if here.shape != tensor.shape:
            theirs = printable(found.names.get(name, name)[:_MAX_SHOWN])
            return (
                f"the first difference is {theirs}, which is {shape_text(here)} instead of "
                f"{shape_text(tensor)}"
            )
    beyond = [found.names.get(name, name) for name in found.state if name not in wanted]
    first = printable([*beyond, *found.left_over][0][:_MAX_SHOWN])
    return f"the first difference is {first}, which the network does not have"
