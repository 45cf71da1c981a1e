"""The network for export: form (c), BN folded, narrow groups merged."""

from __future__ import annotations

import copy
from dataclasses import replace

import torch
from torch import nn

from resnext.data.prepare.preparation import Preparation
from resnext.errors import ConfigError
from resnext.export.narrow_groups import widen_groups
from resnext.inference.fold import fold_batch_norm
from resnext.model.card import card_from
from resnext.model.config import ResNeXtConfig, SegmenterConfig
from resnext.model.convert import convert_form
from resnext.model.create import create_model
from resnext.model.trained import TrainedNetwork
from resnext.runtimes.spec import Format


def at_size(loaded: TrainedNetwork, size_px: int | None) -> TrainedNetwork:
    """Return the network with another crop size in its card.

    The resize before the crop is scaled in proportion. Metrics measured at the old size are
    removed from the card, since they do not apply to the new size.

    Args:
        loaded: The network.
        size_px: Side of the crop; None, or that of the card, changes nothing.

    Raises:
        ConfigError: Such images are larger than a file of a network may ask for.
    """
    card = loaded.card
    if size_px is None or size_px == card.image_size_px:
        return loaded
    resize_px = Preparation.of_card(card, size_px).resize_px
    card = card.replace(image_size_px=size_px, resize_px=resize_px, metrics={})
    try:
        card_from(card.model_dump(), loaded.config)  # as the file is checked when it is opened
    except ConfigError as error:
        raise ConfigError(f"size_px={size_px}: {error}; choose a smaller size") from None
    return replace(loaded, card=card)


def simplify(loaded: TrainedNetwork, to: Format) -> nn.Module:
    """Return a new network that computes the same function with fewer and faster layers.

    Args:
        loaded: The network; it is not changed.
        to: The export format.
    """
    network = copy.deepcopy(loaded.module).cpu().float().eval()
    config = loaded.config
    if isinstance(config, ResNeXtConfig) and config.form != "c":
        grouped = create_model(config.replace(form="c"))
        grouped.load_state_dict(convert_form(network.state_dict(), config, to="c"))
        network = grouped.eval()
    if isinstance(config, SegmenterConfig):
        from resnext.model.segmenter import Segmenter  # torchvision is slow to import

        assert isinstance(network, Segmenter)
        network.aux_classifier = None  # for training only
        _replace_means(network)
    network = fold_batch_norm(network)
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    return widen_groups(network) if to == "onnx" else network


class _Mean(nn.Module):
    """The mean of each channel, with sides of length 1."""

    def forward(self, x_bchw: torch.Tensor) -> torch.Tensor:
        return x_bchw.mean((2, 3), keepdim=True)


def _replace_means(network: nn.Module) -> None:
    """Replace pools to one position by means; torch exports such pools as gathers of any size."""
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.AdaptiveAvgPool2d) and child.output_size in (1, (1, 1)):
                setattr(module, name, _Mean())
