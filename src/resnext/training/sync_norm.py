"""Batch normalisation over the images of all processes together."""

from __future__ import annotations

from typing import Any

from torch import nn

from resnext.errors import ConfigError
from resnext.runs.runtime import Runtime


def share_norm(model: nn.Module, runtime: Runtime) -> nn.Module:
    """Let BN compute its statistics over the whole batch; weight names are unchanged.

    A single process already has the whole batch, so its network is unchanged.

    Args:
        model: The network, on its device.
        runtime: Device and processes.

    Raises:
        ConfigError: The processes have no GPUs, which torch requires for this.
    """
    if runtime.world_size == 1:
        return model
    if runtime.device.type != "cuda":
        raise ConfigError(
            "sync_norm=True: torch only supports shared BN statistics on GPUs, not on "
            f"{runtime.device.type}; leave it out, or give each process more images"
        )
    convert: Any = nn.SyncBatchNorm.convert_sync_batchnorm
    shared: nn.Module = convert(model)
    return shared
