"""Normalises uint8 pixels to float32."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from resnext.data.prepare.scale import scale_and_shift


class Normaliser:
    """Computes (pixel / 255 - mean) / std for whole batches.

    Attributes:
        std_c: Standard deviation of each channel.
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float], device: torch.device) -> None:
        self.std_c = torch.tensor(std, dtype=torch.float32, device=device)
        scale_c, shift_c = scale_and_shift(mean, std)
        self._scale_c = torch.from_numpy(scale_c).to(device)
        self._shift_c = torch.from_numpy(shift_c).to(device)
        self._rows: dict[tuple[int, int], tuple[torch.Tensor, torch.Tensor]] = {}

    def __call__(self, images_bhwc: torch.Tensor) -> torch.Tensor:
        """Normalise uint8 images on the device, of any number of dimensions.

        Returns:
            Float32 b x c x h x w in memory format channels_last.
        """
        width, channels = images_bhwc.shape[-2:]
        # Whole rows of pixels as the innermost dimension: three channels would be too
        # short a loop to vectorise.
        rows = images_bhwc.flatten(-2).to(torch.float32)
        scale_row, shift_row = self._row(width, channels)
        rows.mul_(scale_row).add_(shift_row)
        return rows.view(images_bhwc.shape).movedim(-1, 1)

    def _row(self, width: int, channels: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return factor and offset of each value in a row of pixels."""
        if (width, channels) not in self._rows:
            self._rows[width, channels] = (
                self._scale_c.expand(channels).repeat(width),
                self._shift_c.expand(channels).repeat(width),
            )
        return self._rows[width, channels]


def normalise(
    images_bchw: torch.Tensor, mean: Sequence[float], std: Sequence[float], device: torch.device
) -> torch.Tensor:
    """Normalise uint8 images as the loaders do.

    Args:
        images_bchw: uint8, any memory format, on any device.
        mean: Mean of each channel, of values in 0..1.
        std: Standard deviation of each channel.
        device: Device of the result.

    Returns:
        Float32 on the device, channels_last.
    """
    images_bhwc = images_bchw.to(device).movedim(1, -1)
    return Normaliser(mean, std, device)(images_bhwc)
