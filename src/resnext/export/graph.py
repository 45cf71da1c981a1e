"""The traced module: the network with its preprocessing.

Legend: b batch, h height, w width, c channels, x the sides of a signal.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from resnext.data.prepare.preparation import Preparation
from resnext.model.card import ModelCard
from resnext.model.signal import SignalInput
from resnext.runtimes.spec import Input


class FromPixels(nn.Module):
    """Normalises uint8 pixels and classifies them."""

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, network: nn.Module, card: ModelCard) -> None:
        super().__init__()
        self.network = network
        ndim = getattr(network.config, "ndim", 2)
        shape = (1, len(card.mean), *(1,) * ndim)
        self.register_buffer("mean", 255 * torch.tensor(card.mean).view(shape))
        self.register_buffer("scale", 1 / (255 * torch.tensor(card.std)).view(shape))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Map uint8 b x h x w x c to logits."""
        return self.classify(_as_floats(pixels))

    def classify(self, levels_bchw: torch.Tensor) -> torch.Tensor:
        """Map pixel values from 0 to 255, as floats, to logits."""
        logits_bk: torch.Tensor = self.network((levels_bchw - self.mean) * self.scale)
        return logits_bk


class FromImage(nn.Module):
    """Resizes the short side of one image, crops its centre, normalises and classifies."""

    def __init__(self, network: FromPixels, card: ModelCard, size_px: int) -> None:
        super().__init__()
        self.network = network
        self.size_px = size_px
        self.resize_px = Preparation.of_card(card, size_px).short_side_px
        self.interpolation = card.interpolation

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Map uint8 1 x h x w x c of any size to logits."""
        image_bchw = _as_floats(pixels)
        height, width = image_bchw.shape[2:]
        short = torch.sym_min(height, width)
        # The long side is rounded down, as in evaluation.
        sides: Any = (self.resize_px * height // short, self.resize_px * width // short)
        image_bchw = F.interpolate(image_bchw, sides, mode=self.interpolation, antialias=True)
        image_bchw = image_bchw.round().clamp(0, 255)
        top, left = (_middle(side - self.size_px) for side in image_bchw.shape[2:])
        crop = image_bchw[:, :, top : top + self.size_px, left : left + self.size_px]
        return self.network.classify(crop)


class FromValues(nn.Module):
    """Normalises each channel of a signal, replaces missing values by 0, and classifies."""

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, network: nn.Module, signal: SignalInput) -> None:
        super().__init__()
        self.network = network
        shape = (1, signal.in_channels, *(1,) * signal.ndim)
        self.register_buffer("mean", torch.tensor(signal.mean).view(shape))
        self.register_buffer("scale", 1 / torch.tensor(signal.std).view(shape))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Map float32 b x c x the sides, NaN where there is no value, to logits."""
        normal_bcx = (values - self.mean) * self.scale
        known_bcx = torch.masked_fill(normal_bcx, torch.isnan(normal_bcx), 0.0)
        logits_bk: torch.Tensor = self.network(known_bcx)
        return logits_bk


def build_graph(network: nn.Module, card: ModelCard, kind: Input, size_px: int) -> nn.Module:
    """Put preprocessing in front of a network.

    Args:
        network: Takes normalised images or signals.
        card: Its preprocessing.
        kind: The input of the result.
        size_px: Side of the crop.
    """
    if kind == "normalised":
        return network
    if card.signal is not None:
        return FromValues(network, card.signal).eval()
    pixels = FromPixels(network, card)
    return (FromImage(pixels, card, size_px) if kind == "image" else pixels).eval()


def _as_floats(pixels: torch.Tensor) -> torch.Tensor:
    """Cast first: TensorRT allows uint8 inputs only in casts."""
    return pixels.to(torch.float32).movedim(-1, 1)


def _middle(margin: int) -> int:
    """Return half a margin, with halves rounded to even like Python's round."""
    half, rest = margin // 2, margin % 2
    return half + rest * (half % 2)
