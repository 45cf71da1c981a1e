"""Pad, crop and mirror a whole batch of small images at once.

The Torch code of the paper pads with zeros after normalising. Before normalising that is
the mean colour, so images are stored padded with it (rounded to 8 bits: at most half a
grey level off) and every crop is a window of the stored image.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

# Larger images are mirrored one by one on a CPU: they stay in its cache, and no batch is copied.
_ONE_BY_ONE_BYTES = 32 * 1024


def mean_color(mean: Sequence[float]) -> list[int]:
    """Return the 8-bit color that is nearest to zero after normalising."""
    return [round(255 * value) for value in mean]


def pad_images(images_nhwc: torch.Tensor, pad_px: int, color: Sequence[int]) -> torch.Tensor:
    """Return the images with a border of one color, contiguous."""
    if not pad_px:
        return images_nhwc.contiguous()
    num, height, width, channels = images_nhwc.shape
    padded = images_nhwc.new_tensor(color).expand(
        num, height + 2 * pad_px, width + 2 * pad_px, channels
    )
    padded = padded.contiguous()
    padded[:, pad_px : pad_px + height, pad_px : pad_px + width] = images_nhwc
    return padded


def crop_windows(
    padded_nhwc: torch.Tensor,
    numbers_b: torch.Tensor,
    rows_b: torch.Tensor,
    columns_b: torch.Tensor,
    size: tuple[int, int],
) -> torch.Tensor:
    """Cut one window from each of some images.

    Args:
        padded_nhwc: Stored images, contiguous.
        numbers_b: Which images, int64, on the same device.
        rows_b: Upper row of each window.
        columns_b: Left column of each window.
        size: Height and width of the windows.

    Returns:
        Images b x height x width x c, contiguous.
    """
    num, stored_height, stored_width, channels = padded_nhwc.shape
    height, width = size
    # One row of a window is a run of bytes in memory. The view lists the run that begins
    # at every pixel, overlapping; selecting from it is then one memcpy a row.
    runs = padded_nhwc.view(-1).as_strided(
        (num * stored_height * stored_width - width + 1, width * channels), (channels, 1)
    )
    corners_b = (numbers_b * stored_height + rows_b) * stored_width + columns_b
    steps_h = torch.arange(height, device=corners_b.device) * stored_width
    picked = runs.index_select(0, (corners_b[:, None] + steps_h).view(-1))
    return picked.view(-1, height, width, channels)


def mirror(images_bhwc: torch.Tensor, flips_b: torch.Tensor) -> torch.Tensor:
    """Mirror the images whose flag is set, left to right.

    Args:
        images_bhwc: Images on any device, contiguous; they may be changed in place.
        flips_b: Booleans on the CPU, so that no device is waited for.
    """
    flipped = flips_b.nonzero().squeeze(1)
    if images_bhwc.device.type == "cpu" and images_bhwc[0].nbytes >= _ONE_BY_ONE_BYTES:
        for number in flipped.tolist():
            image = images_bhwc[number : number + 1]
            image.copy_(_turn(image))
        return images_bhwc
    kept = (~flips_b).nonzero().squeeze(1)
    order = torch.cat([kept, flipped])
    device = images_bhwc.device
    sorted_bhwc = images_bhwc.index_select(0, order.to(device))
    both = torch.cat([sorted_bhwc[: len(kept)], _turn(sorted_bhwc[len(kept) :])])
    return both.index_select(0, torch.argsort(order).to(device))


def _turn(images_bhwc: torch.Tensor) -> torch.Tensor:
    # As b x c x h x w of memory format channels_last, torch has a fast path for this flip.
    return images_bhwc.permute(0, 3, 1, 2).flip(3).permute(0, 2, 3, 1)
