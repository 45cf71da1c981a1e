"""Opens a run, a file or a published network for prediction."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import overload

import torch
from torch import nn

from resnext.download import Progress
from resnext.errors import CheckpointError, ConfigError
from resnext.model.backbone import Backbone
from resnext.model.card import ModelCard
from resnext.model.config import DetectorConfig, ModelConfig, ResNeXtConfig, SegmenterConfig
from resnext.model.create import create_model
from resnext.model.feature_info import Indices
from resnext.model.network import ResNeXt
from resnext.model.trained import TrainedBackbone, TrainedNetwork
from resnext.runtimes.module import as_trained
from resnext.runtimes.open import is_exported, open_exported
from resnext.runtimes.spec import Arithmetic
from resnext.untrusted.names import with_home
from resnext.weights.change import only_backbone
from resnext.weights.families.family import Padding
from resnext.weights.file import Weights
from resnext.weights.own_file import load_into
from resnext.weights.source import open_weights


@overload
def load(
    name_or_path: str | os.PathLike[str],
    device: str | torch.device = ...,
    *,
    out_indices: None = ...,
    output_stride: int | None = ...,
    shortcut_padding: Padding | None = ...,
    accept_licence: bool = ...,
    precision: Arithmetic | None = ...,
    progress: Progress | None = ...,
) -> TrainedNetwork: ...
@overload
def load(
    name_or_path: str | os.PathLike[str],
    device: str | torch.device = ...,
    *,
    out_indices: Indices,
    output_stride: int | None = ...,
    shortcut_padding: Padding | None = ...,
    accept_licence: bool = ...,
    precision: Arithmetic | None = ...,
    progress: Progress | None = ...,
) -> TrainedBackbone: ...
def load(
    name_or_path: str | os.PathLike[str],
    device: str | torch.device = "cpu",
    *,
    out_indices: Indices | None = None,
    output_stride: int | None = None,
    shortcut_padding: Padding | None = None,
    accept_licence: bool = False,
    precision: Arithmetic | None = None,
    progress: Progress | None = None,
) -> TrainedNetwork | TrainedBackbone:
    """Rebuild a trained network, or only its backbone.

    Example:
        >>> import resnext
        >>> network = resnext.load("runs/demo")  # doctest: +SKIP
        >>> network = resnext.load("resnext50_32x4d.a1h_in1k")  # doctest: +SKIP
        >>> network.card.classes  # doctest: +SKIP
        >>> backbone = resnext.load("runs/demo", out_indices=(1, 2, 3)).module  # doctest: +SKIP

    Args:
        name_or_path: A run folder, whose kept weights are used; a weight file of any family
            (ours, torchvision, timm, mmpretrain, pycls, pytorchcv, detectron2, Torch7); a file
            that `resnext export` wrote; a name that `resnext weights list` shows; or OWNER/NAME
            on the Hugging Face Hub.
        device: The device of the network. An exported file always runs on the CPU.
        out_indices: Return a backbone that outputs these maps: 0 is the stem's, 1 that of the first
            stage; negative numbers count from the end; a single number means that many of the
            last. The file needs no classifier.
        output_stride: Give the last map this stride, by dilation; the weights stay the same.
        shortcut_padding: Where type A shortcuts in a file of another library pad with zeros: `end`,
            after the channels, or `both`, half before them. Our own files record it.
        accept_licence: Also fetch weights that do not allow commercial use.
        precision: Precision of an exported file; see `open_exported`. A network in PyTorch is in
            fp32; use `torch.autocast` for others.
        progress: Called with the bytes downloaded so far and the total.

    Returns:
        The network or backbone in evaluation mode, with its architecture and card.

    Raises:
        CheckpointError: The weights do not exist, or the file is damaged, unknown or does not fit
            its network.
        ConfigError: The name is unknown, or the runtime of an exported file is not installed.
        DownloadError: The file cannot be fetched.
        LicenceError: Its licence was not accepted.
    """
    network: TrainedNetwork | TrainedBackbone
    if name_or_path == "":  # the current folder, as a path
        raise ConfigError("name_or_path is empty; give a run, a weight file or a name")
    name_or_path = with_home(name_or_path)
    if is_exported(Path(name_or_path)):
        options = {
            "shortcut_padding": shortcut_padding,
            "out_indices": out_indices,
            "output_stride": output_stride,
        }
        if given := [name for name, value in options.items() if value is not None]:
            raise ConfigError(f"{name_or_path}: is an exported file; omit {', '.join(given)}")
        network = as_trained(open_exported(Path(name_or_path), precision=precision))
    else:
        weights = open_weights(
            name_or_path,
            shortcut_padding=shortcut_padding,
            accept_licence=accept_licence,
            progress=progress,
        )
        if output_stride is not None:
            weights = replace(weights, config=_dilated(weights, output_stride))
        if out_indices is None:
            module: nn.Module = _build(weights, name_or_path).to(device).eval()
            network = TrainedNetwork(module, weights.config, weights.card)
        else:
            backbone = _build_backbone(weights, out_indices).to(device).eval()
            network = TrainedBackbone(backbone, backbone.config, weights.card)
    _check_statistics(name_or_path, network.config, network.card)
    return network


from_pretrained = load
"""The same under the Hub's usual name, for networks written by `save_pretrained` and
`push_to_hub`."""


def _build(weights: Weights, source: str | Path) -> nn.Module:
    """Build the network for opened weights."""
    if not weights.has_head:
        raise CheckpointError(
            f"{source}: holds no classifier, only the layers before it; train one "
            f"(resnext train --data DATA --weights {source}), or open it as a backbone, with "
            "out_indices"
        )
    with torch.device("meta"):  # skip initialisation
        module = create_model(weights.config)
    _load_into(module, weights, weights.state)
    if isinstance(weights.config, DetectorConfig):
        from resnext.model.detector import use_statistics  # torchvision is slow to import

        use_statistics(module, weights.card)
    return module


def _build_backbone(weights: Weights, out_indices: Indices) -> Backbone:
    weights = only_backbone(weights)
    config = _resnext(weights, "out_indices").replace(num_classes=0)
    with torch.device("meta"):
        network = ResNeXt(config)
    state = {name: tensor for name, tensor in weights.state.items() if not name.startswith("fc.")}
    _load_into(network, weights, state)
    return Backbone(network, out_indices)


def _dilated(weights: Weights, output_stride: int) -> ModelConfig:
    if isinstance(weights.config, SegmenterConfig):
        backbone = weights.config.backbone.replace(output_stride=output_stride)
        return weights.config.replace(backbone=backbone)
    return _resnext(weights, "output_stride").replace(output_stride=output_stride)


def _resnext(weights: Weights, option: str) -> ResNeXtConfig:
    if isinstance(weights.config, ResNeXtConfig):
        return weights.config
    raise ConfigError(f"{weights.name}: is {weights.config.family}; omit {option}")


def _load_into(module: nn.Module, weights: Weights, state: dict[str, torch.Tensor]) -> None:
    try:
        load_into(module, state, assign=True)
    except CheckpointError as error:
        raise CheckpointError(f"{weights.name}: {error}") from None


def _check_statistics(source: str | Path, config: ModelConfig, card: ModelCard) -> None:
    for name, values in (("mean", card.mean), ("std", card.std)):
        if len(values) not in (1, config.in_channels):
            raise CheckpointError(
                f"{source}: its {name} has {len(values)} numbers for {config.in_channels} "
                "channels; it was edited. Copy it again, or convert or export the network again"
            )
