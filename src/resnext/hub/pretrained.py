"""Opening what was published: the other end of `save_pretrained` and `push_to_hub`."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from resnext.weights.families.family import Padding
from resnext.weights.load import load


def from_pretrained(
    repository_or_folder: str | Path,
    device: str | torch.device = "cpu",
    *,
    shortcut_padding: Padding | None = None,
    accept_licence: bool = False,
) -> nn.Module:
    """Open a network of the Hub or of a folder; `resnext.load` under the Hub's usual name.

    Args:
        repository_or_folder: OWNER/NAME, OWNER/NAME@REVISION, a folder that `save_pretrained`
            wrote, or anything else that `resnext.load` takes.
        device: Where the network goes.
        shortcut_padding: As for `resnext.load`.
        accept_licence: Fetch also weights that may not be used commercially.

    Returns:
        The network in evaluation mode, with `.config` and `.card`.

    Raises:
        ResNeXtError: As for `resnext.load`.
    """
    return load(
        repository_or_folder,
        device,
        shortcut_padding=shortcut_padding,
        accept_licence=accept_licence,
    )
