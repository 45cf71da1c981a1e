"""From a run, a file or a published name to a network that is ready to predict."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from resnext.download import Progress
from resnext.errors import CheckpointError
from resnext.model.create import create_model
from resnext.weights.families.family import Padding
from resnext.weights.own_file import load_into
from resnext.weights.source import Weights, open_weights


def load(
    name_or_path: str | Path,
    device: str | torch.device = "cpu",
    *,
    shortcut_padding: Padding | None = None,
    accept_licence: bool = False,
    progress: Progress | None = None,
) -> nn.Module:
    """Rebuild a trained network.

    Example:
        >>> import resnext
        >>> model = resnext.load("runs/demo")  # doctest: +SKIP
        >>> model = resnext.load("resnext50_32x4d.a1h_in1k")  # doctest: +SKIP
        >>> model.card.classes  # doctest: +SKIP

    Args:
        name_or_path: A run folder, whose kept weights are taken; a weight file of any family
            (ours, torchvision, timm, mmpretrain, pycls, pytorchcv, detectron2, Torch7); a name
            that `resnext weights list` shows; or OWNER/NAME on the Hugging Face Hub.
        device: Where the network goes.
        shortcut_padding: Where type A shortcuts of a file of another library pad with zeros:
            `end`, behind the channels, or `both`, half before them. Files of ours say it.
        accept_licence: Fetch also weights that may not be used commercially.
        progress: Is told the bytes of a download that are there and those in all.

    Returns:
        The network in evaluation mode; `.config` is its architecture and `.card` tells its
        classes and how to prepare images.

    Raises:
        CheckpointError: There are no such weights, or the file is torn, foreign or does
            not fit the network that it names.
        ConfigError: The name is unknown.
        DownloadError: The file cannot be fetched.
        LicenceError: Its licence was not accepted.
    """
    weights = open_weights(
        name_or_path,
        shortcut_padding=shortcut_padding,
        accept_licence=accept_licence,
        progress=progress,
    )
    if not weights.has_head:
        raise CheckpointError(
            f"{name_or_path}: holds no classifier, only the layers before it; train one on them: "
            f"resnext train --data DATA --weights {name_or_path}"
        )
    return build(weights).to(device).eval()


def build(weights: Weights) -> nn.Module:
    """Build the network of opened weights.

    Args:
        weights: The weights, classifier included.

    Raises:
        CheckpointError: They do not fit the architecture that they name.
    """
    with torch.device("meta"):  # no time is spent on initial weights
        model = create_model(weights.config)
    try:
        load_into(model, weights.state, assign=True)
    except CheckpointError as error:
        raise CheckpointError(f"{weights.name}: {error}") from None
    model.card = weights.card  # type: ignore[assignment]  # a plain attribute, no submodule
    return model
