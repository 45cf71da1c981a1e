"""Batch normalisation over the images of all processes together."""

from __future__ import annotations

from typing import Any

from torch import nn

from resnext.errors import ConfigError
from resnext.runs.runtime import Runtime


def share_norm(model: nn.Module, runtime: Runtime) -> nn.Module:
    """Let BN take its statistics from the whole batch; names of the weights stay.

    One process has the whole batch already, and its network is left as it is.

    Args:
        model: The network, on its device.
        runtime: Device and processes.

    Raises:
        ConfigError: The processes have no GPUs, for which alone torch has such a layer.
    """
    if runtime.world_size == 1:
        return model
    if runtime.device.type != "cuda":
        raise ConfigError(
            f"sync_norm=True: torch shares BN's statistics between GPUs only, not on "
            f"{runtime.device.type}; leave it out, or give each process more images"
        )
    convert: Any = nn.SyncBatchNorm.convert_sync_batchnorm
    shared: nn.Module = convert(model)
    return shared
