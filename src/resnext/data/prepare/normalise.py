"""From uint8 pixels to the float32 numbers that a network sees."""

from __future__ import annotations

from collections.abc import Sequence

import torch


class Normaliser:
    """Computes (pixel / 255 - mean) / std for whole batches.

    Attributes:
        mean_c: Mean of each channel.
        std_c: Standard deviation of each channel.
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float], device: torch.device) -> None:
        self.mean_c = torch.tensor(mean, dtype=torch.float32, device=device)
        self.std_c = torch.tensor(std, dtype=torch.float32, device=device)
        self._rows: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def __call__(self, images_bhwc: torch.Tensor) -> torch.Tensor:
        """Normalise uint8 images on the device.

        Returns:
            Float32 b x c x h x w in memory format channels_last.
        """
        num, height, width, channels = images_bhwc.shape
        # Whole rows of pixels as the innermost dimension: three channels would be too
        # short a loop to vectorise.
        rows = images_bhwc.reshape(num, height, width * channels).to(torch.float32)
        scale_row, shift_row = self._row(width)
        rows.mul_(scale_row).add_(shift_row)
        return rows.view(num, height, width, channels).permute(0, 3, 1, 2)

    def _row(self, width: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return factor and offset of each value in a row of pixels."""
        if width not in self._rows:
            scale_c, shift_c = 1.0 / (255.0 * self.std_c), -self.mean_c / self.std_c
            self._rows[width] = scale_c.repeat(width), shift_c.repeat(width)
        return self._rows[width]


def normalise(
    images_bchw: torch.Tensor, mean: Sequence[float], std: Sequence[float], device: torch.device
) -> torch.Tensor:
    """Normalise uint8 images as the loaders do.

    Args:
        images_bchw: uint8, any memory format, on any device.
        mean: Mean of each channel, of values in 0..1.
        std: Standard deviation of each channel.
        device: Where the result goes.

    Returns:
        Float32 on the device, channels_last.
    """
    images_bhwc = images_bchw.to(device).permute(0, 2, 3, 1)
    return Normaliser(mean, std, device)(images_bhwc)
