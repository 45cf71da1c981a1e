"""Region proposals with a fixed number of rows. Legend: b images, l maps, n anchors, k rows.

Source: torchvision/models/detection/rpn.py, `RegionProposalNetwork.filter_proposals`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from resnext.export.detectors.boxes import (
    ABSENT,
    anchors_on,
    best,
    clip,
    decode,
    is_large,
    mark,
    move_apart,
    take,
)
from resnext.export.detectors.suppress import suppress


def propose(
    rpn: Any, maps: Sequence[torch.Tensor], images_bchw: torch.Tensor, limits_4: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return regions that may hold objects.

    Args:
        rpn: torchvision's network for proposals, in evaluation mode.
        maps: What it looks at.
        images_bchw: The padded images.
        limits_4: Width, height, width and height without the padding.

    Returns:
        Boxes, b x k x 4, and whether each is one, b x k.
    """
    cells = rpn.anchor_generator.cell_anchors
    levels = [
        _level(rpn, map_bchw, anchors_on(map_bchw, images_bchw, cell_a4))
        for map_bchw, cell_a4 in zip(maps, cells, strict=True)
    ]
    codes_bln4, anchors_bln4, logits_bln = (
        torch.stack(part, 1) for part in zip(*levels, strict=True)
    )
    num_rows, scores_bln = rpn.pre_nms_top_n(), logits_bln.sigmoid()
    boxes_bln4 = clip(decode(rpn.box_coder, codes_bln4, anchors_bln4), limits_4)
    is_candidate_bln = (logits_bln > ABSENT / 2) & is_large(boxes_bln4, rpn.min_size)
    is_candidate_bln = is_candidate_bln & (scores_bln >= rpn.score_thresh)
    boxes_bm4, is_candidate_bm = boxes_bln4.flatten(1, 2), is_candidate_bln.flatten(1)
    levels_bm = torch.arange(len(levels))[None, :, None].expand_as(scores_bln).flatten(1)
    moved_bm4 = move_apart(boxes_bm4, levels_bm, is_candidate_bm)
    scores_bm = mark(scores_bln.flatten(1), is_candidate_bm)
    kept_g1n = suppress(
        moved_bm4.reshape(-1, num_rows, 4),
        scores_bm.reshape(-1, 1, num_rows),
        rpn.nms_thresh,
        rpn.post_nms_top_n(),
    )
    kept_bm = kept_g1n.reshape(-1, len(levels) * num_rows)
    scores_bk, rows_bk = mark(scores_bm, kept_bm).topk(rpn.post_nms_top_n(), dim=1)
    is_region_bk = scores_bk >= 0
    boxes_bk4 = torch.where(is_region_bk[:, :, None], take(boxes_bm4, rows_bk), 0.0)
    return boxes_bk4, is_region_bk


def _level(
    rpn: Any, map_bchw: torch.Tensor, anchors_n4: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the best rows of one map: codes, their anchors, and how surely there is an object."""
    (objectness_bahw,), (codes_bxhw,) = rpn.head([map_bchw])
    objectness_bn = objectness_bahw.movedim(1, -1).flatten(1)
    num_anchors = objectness_bahw.shape[1]
    codes_bhwa4 = codes_bxhw.movedim(1, -1).unflatten(-1, (num_anchors, 4))
    logits_bk, rows_bk = best(objectness_bn, rpn.pre_nms_top_n())
    return take(codes_bhwa4.flatten(1, 3), rows_bk), anchors_n4[rows_bk], logits_bk
