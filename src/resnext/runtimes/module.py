"""Wraps an exported network as a PyTorch module, so that evaluation accepts both."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from resnext.model.card import ModelCard
from resnext.model.config import DetectorConfig
from resnext.model.detector_config import NUM_COLUMNS
from resnext.model.trained import TrainedNetwork
from resnext.runtimes.exported import Array, Exported
from resnext.runtimes.spec import Input


class ExportedModule(nn.Module):
    """Runs an exported network on the CPU, for images or signals on any device.

    Attributes:
        exported: The network.
    """

    def __init__(self, exported: Exported) -> None:
        super().__init__()
        self.exported = exported

    def forward(self, x_bchw: Any) -> Any:
        """Map normalised float32 images or signals to logits, b x num_classes.

        A detector takes and returns what torchvision's do: a list of images in 0..1, c x h x w, and
        for each a dictionary of `boxes`, `scores` and `labels` from 1. Masks are not fitted to the
        image: `soft_masks` are n x s x s probabilities within the boxes.
        """
        exported = self.exported
        if isinstance(exported.config, DetectorConfig):
            return [_find(exported, image_chw) for image_chw in x_bchw]
        batch = graph_input(exported.spec.input, exported.card, x_bchw)
        return torch.from_numpy(exported.run(batch)).to(x_bchw.device)


def _find(exported: Exported, image_chw: torch.Tensor) -> dict[str, torch.Tensor]:
    """Find objects in one image."""
    pixels_hwc = (image_chw * 255).round_().clamp_(0, 255).to("cpu", torch.uint8).movedim(0, -1)
    rows_nx = torch.from_numpy(exported.run(pixels_hwc[None].contiguous().numpy())[0])
    is_used_n = (rows_nx[:, 4] > 0) & rows_nx.isfinite().all(dim=1)  # a file may be edited
    kept_nx = rows_nx[is_used_n].to(image_chw.device)
    found = {"boxes": kept_nx[:, :4], "scores": kept_nx[:, 4], "labels": kept_nx[:, 5].long() + 1}
    if side := math.isqrt(kept_nx.shape[1] - NUM_COLUMNS):
        found["soft_masks"] = kept_nx[:, NUM_COLUMNS:].reshape(-1, side, side)
    return found


def as_trained(exported: Exported) -> TrainedNetwork:
    """Return an exported network in the form of one in PyTorch."""
    return TrainedNetwork(ExportedModule(exported).eval(), exported.config, exported.card)


def graph_input(kind: Input, card: ModelCard, x_bchw: torch.Tensor) -> Array:
    """Turn normalised images or signals into what a graph takes.

    A normalisation that is inside the graph is inverted, for pixels exactly: they are rounded.

    Args:
        kind: The input of the graph, other than `image`.
        card: Mean and standard deviation.
        x_bchw: Normalised float32, b x c x the sides.
    """
    x_bchw = x_bchw.detach().to("cpu", torch.float32)
    if kind == "normalised":
        return x_bchw.contiguous().numpy()
    statistics = card if card.signal is None else card.signal
    mean, std = statistics.mean, statistics.std
    levels_bhwc = x_bchw.movedim(1, -1) * torch.tensor(std) + torch.tensor(mean)
    if kind == "values":
        return levels_bhwc.movedim(-1, 1).contiguous().numpy()
    return (levels_bhwc * 255).round_().clamp_(0, 255).to(torch.uint8).contiguous().numpy()
