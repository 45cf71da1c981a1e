"""Wraps an exported network as a PyTorch module, so that evaluation accepts both."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from resnext.runtimes.exported import Exported


class ExportedModule(nn.Module):
    """Runs an exported network on the CPU, for images on any device.

    Attributes:
        exported: The network.
    """

    def __init__(self, exported: Exported) -> None:
        super().__init__()
        self.exported = exported

    def forward(self, x_bchw: torch.Tensor) -> torch.Tensor:
        """Map normalised float32 images to logits, b x num_classes.

        For a graph that takes pixels, the normalisation is inverted and rounded, which is exact for
        images that were uint8.
        """
        images = x_bchw.detach().to("cpu", torch.float32)
        if self.exported.spec.input == "normalised":
            batch = images.contiguous().numpy()
        else:
            batch = self._pixels(images)
        return torch.from_numpy(self.exported.run(batch)).to(x_bchw.device)

    def _pixels(self, images_bchw: torch.Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        card = self.exported.card
        mean_c, std_c = torch.tensor(card.mean), torch.tensor(card.std)
        images_bhwc = (images_bchw.movedim(1, -1) * std_c + mean_c) * 255
        pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]] = (
            images_bhwc.round_().clamp_(0, 255).to(torch.uint8).contiguous().numpy()
        )
        return pixels
