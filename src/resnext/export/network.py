"""The network as it is exported: form (c), BN folded, narrow groups widened."""

from __future__ import annotations

import copy

from torch import nn

from resnext.evaluation.loaded import Loaded
from resnext.export.fold import fold_batch_norm
from resnext.export.narrow_groups import widen_groups
from resnext.export.options import ExportOptions
from resnext.model.config import ResNeXtConfig
from resnext.model.convert import convert_form
from resnext.model.create import create_model


def simplify(loaded: Loaded, options: ExportOptions) -> nn.Module:
    """Return the same function with fewer and faster layers, in a network of its own.

    Args:
        loaded: The network; it is not changed.
        options: How to export.
    """
    network = copy.deepcopy(loaded.module).cpu().float().eval()
    config = loaded.config
    if isinstance(config, ResNeXtConfig) and config.form != "c":
        grouped = create_model(config.replace(form="c"))
        grouped.load_state_dict(convert_form(network.state_dict(), config, to="c"))
        network = grouped.eval()
    network = fold_batch_norm(network)
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    return widen_groups(network) if options.widen_groups and options.to == "onnx" else network
