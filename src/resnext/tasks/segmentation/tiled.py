"""Evaluates images in tiles, with the figures of whole images.

Of a tile only classes and losses stay in memory, not its scores, which are much larger.
Legend: b images, k classes, h x w pixels, c channels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from resnext.tasks.segmentation.loss import loss_sums, num_known
from resnext.tasks.segmentation.tiles import Tiling, tiles_of


@dataclass(frozen=True)
class PixelAnswers:
    """What a tally needs of the scores of a batch.

    Attributes:
        classes_bhw: The class of each pixel, uint8.
        losses_b: Mean cross-entropy of each image's pixels, float32.
    """

    classes_bhw: torch.Tensor
    losses_b: torch.Tensor


def answer_in_tiles(
    run: Callable[[torch.Tensor], torch.Tensor],
    images_bchw: torch.Tensor,
    masks_bhw: torch.Tensor,
    tiling: Tiling,
) -> PixelAnswers:
    """Show each tile of a batch to a network.

    Args:
        run: Returns the scores of a tile, 1 x c x h x w to 1 x k x h x w, float32 or wider.
        images_bchw: Normalised images.
        masks_bhw: The class of each pixel, uint8, or `IGNORED`.
        tiling: How to tile each image.
    """
    layout = torch.contiguous_format
    if images_bchw.is_contiguous(memory_format=torch.channels_last):
        layout = torch.channels_last
    height, width = images_bchw.shape[-2:]
    classes_bhw = torch.zeros_like(masks_bhw)
    sums_b = torch.zeros(len(images_bchw), dtype=torch.float64)
    for index, rows, columns in (
        (index, *spans)
        for index in range(len(images_bchw))
        for spans in tiles_of(height, width, tiling)
    ):
        tile_1chw = images_bchw[index : index + 1, :, rows.seen, columns.seen]
        scores_1khw = run(_filled_up(tile_1chw, tiling).contiguous(memory_format=layout))
        kept_1khw = scores_1khw[..., rows.kept_of_tile, columns.kept_of_tile]
        wanted_1hw = masks_bhw[index : index + 1, rows.kept, columns.kept]
        classes_bhw[index, rows.kept, columns.kept] = kept_1khw.argmax(dim=1)[0].to(torch.uint8)
        sums_b[index] += loss_sums(kept_1khw, wanted_1hw)[0].double().cpu()
    losses_b = (sums_b / num_known(masks_bhw).cpu()).float()
    return PixelAnswers(classes_bhw, losses_b)


def _filled_up(tile_bchw: torch.Tensor, tiling: Tiling) -> torch.Tensor:
    """Repeat the last pixels up to the size that the network takes."""
    if not tiling.is_exact:
        return tile_bchw
    height, width = tile_bchw.shape[-2:]
    missing = (0, tiling.tile_px - width, 0, tiling.tile_px - height)
    return F.pad(tile_bchw, missing, mode="replicate")
