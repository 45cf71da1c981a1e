"""Whether a file holds exactly one network: nothing missing, nothing left over."""

from __future__ import annotations

import torch

from resnext.errors import CheckpointError
from resnext.model.config import ResNeXtConfig
from resnext.model.names import name_of
from resnext.model.network import ResNeXt
from resnext.model.weights import misfit
from resnext.weights.families.recognise import Recognised


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
            f"its shapes come nearest to {name_of(config)}, but do not fit it; {complaint}. What "
            "is left over belongs to layers that this family of networks does not have (squeeze-"
            "excitation, a deep stem, ...); what is missing was not saved or is cut off"
        )
