"""From a run, a file or a published name to a network that is ready to predict."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from resnext.download import Progress
from resnext.errors import CheckpointError, ConfigError
from resnext.model.card import ModelCard
from resnext.model.config import ModelConfig
from resnext.model.create import create_model
from resnext.model.trained import TrainedNetwork
from resnext.runtimes.module import ExportedModule
from resnext.runtimes.open import is_exported, open_exported
from resnext.runtimes.spec import Arithmetic
from resnext.weights.families.family import Padding
from resnext.weights.file import Weights
from resnext.weights.own_file import load_into
from resnext.weights.source import open_weights


def load(
    name_or_path: str | Path,
    device: str | torch.device = "cpu",
    *,
    shortcut_padding: Padding | None = None,
    accept_licence: bool = False,
    precision: Arithmetic | None = None,
    progress: Progress | None = None,
) -> TrainedNetwork:
    """Rebuild a trained network.

    Example:
        >>> import resnext
        >>> network = resnext.load("runs/demo")  # doctest: +SKIP
        >>> network = resnext.load("resnext50_32x4d.a1h_in1k")  # doctest: +SKIP
        >>> network.card.classes  # doctest: +SKIP

    Args:
        name_or_path: A run folder, whose kept weights are taken; a weight file of any family
            (ours, torchvision, timm, mmpretrain, pycls, pytorchcv, detectron2, Torch7); a file
            that `resnext export` wrote; a name that `resnext weights list` shows; or OWNER/NAME
            on the Hugging Face Hub.
        device: Where the network goes. An exported file computes on the CPU whatever it is.
        shortcut_padding: Where type A shortcuts of a file of another library pad with zeros:
            `end`, behind the channels, or `both`, half before them. Files of ours say it.
        accept_licence: Fetch also weights that may not be used commercially.
        precision: In which an exported file is opened; see `open_exported`. A network in PyTorch
            is in fp32, and `torch.autocast` decides in what it computes.
        progress: Is told the bytes of a download that are there and those in all.

    Returns:
        The network in evaluation mode, with its architecture and card.

    Raises:
        CheckpointError: There are no such weights, or the file is torn, foreign or does
            not fit the network that it names.
        ConfigError: The name is unknown, or the runtime of an exported file is not installed.
        DownloadError: The file cannot be fetched.
        LicenceError: Its licence was not accepted.
    """
    if is_exported(Path(name_or_path)):
        if shortcut_padding is not None:
            raise ConfigError(f"{name_or_path}: is an exported file; leave out shortcut_padding")
        exported = open_exported(Path(name_or_path), precision=precision)
        module: nn.Module = ExportedModule(exported)
        network = TrainedNetwork(module.eval(), exported.config, exported.card)
    else:
        weights = open_weights(
            name_or_path,
            shortcut_padding=shortcut_padding,
            accept_licence=accept_licence,
            progress=progress,
        )
        module = _build(weights, name_or_path).to(device).eval()
        network = TrainedNetwork(module, weights.config, weights.card)
    _check_statistics(name_or_path, network.config, network.card)
    return network


from_pretrained = load
"""The same under the Hub's usual name, for what `save_pretrained` and `push_to_hub` wrote."""


def _build(weights: Weights, source: str | Path) -> nn.Module:
    """Build the network of opened weights."""
    if not weights.has_head:
        raise CheckpointError(
            f"{source}: holds no classifier, only the layers before it; train one on them: "
            f"resnext train --data DATA --weights {source}"
        )
    with torch.device("meta"):  # no time is spent on initial weights
        module = create_model(weights.config)
    try:
        load_into(module, weights.state, assign=True)
    except CheckpointError as error:
        raise CheckpointError(f"{weights.name}: {error}") from None
    return module


def _check_statistics(source: str | Path, config: ModelConfig, card: ModelCard) -> None:
    for name, values in (("mean", card.mean), ("std", card.std)):
        if len(values) not in (1, config.in_channels):
            raise CheckpointError(
                f"{source}: its {name} has {len(values)} numbers for {config.in_channels} "
                "channels; it was edited: copy it again, or convert or export the network anew"
            )
