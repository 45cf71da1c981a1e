"""Whether a file holds exactly one network: nothing missing, nothing left over."""

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

    The classifier may be missing, as backbones have none.

    Raises:
        CheckpointError: Tensors are missing, left over, or differ in shape; the message
            lists them and names the network that comes nearest.
    """
    with torch.device("meta"):
        wanted = ResNeXt(config).state_dict()
    if "fc.weight" not in found.state:
        del wanted["fc.weight"], wanted["fc.bias"]
    unknown = {name: torch.empty(0) for name in found.left_over}
    if complaint := misfit(wanted, {**found.state, **unknown}):
        raise CheckpointError(
            f"its shapes come nearest to {name_of(config)}, but do not fit it: "
            f"{_first_difference(wanted, found)}. In all: {complaint}. What "
            "is left over belongs to layers that this family of networks does not have (squeeze-"
            "excitation, a deep stem, ...); what is missing was not saved or is cut off"
        )


def _first_difference(wanted: Mapping[str, torch.Tensor], found: Recognised) -> str:
    """Name the first tensor, in the network's order, that the file has otherwise or has not."""
    for name, tensor in wanted.items():
        here = found.state.get(name)
        if here is None:
            return f"the first difference is {name} ({shape_text(tensor)}), which it lacks"
        if here.shape != tensor.shape:
            theirs = printable(found.names.get(name, name)[:_MAX_SHOWN])
            return (
                f"the first difference is {theirs}, here {shape_text(here)} instead of "
                f"{shape_text(tensor)}"
            )
    beyond = [found.names.get(name, name) for name in found.state if name not in wanted]
    first = printable([*beyond, *found.left_over][0][:_MAX_SHOWN])
    return f"the first difference is {first}, which the network does not have"
