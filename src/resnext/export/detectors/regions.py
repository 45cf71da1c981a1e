"""Faster R-CNN and Mask R-CNN with a fixed number of rows.

Legend: b images, r regions of an image, c outputs, k rows.
Source: torchvision/models/detection/roi_heads.py, `RoIHeads.postprocess_detections`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from resnext.export.detectors.boxes import clip, is_large, mark, move_apart, take, write_rows
from resnext.export.detectors.cut import cut_regions
from resnext.export.detectors.proposals import propose
from resnext.export.detectors.suppress import suppress

_LEAST_PX = 1e-2  # sides of an object
_CANONICAL_PX, _CANONICAL_LEVEL, _EPSILON = 224, 4, 1e-6
"""How torchvision's `LevelMapper` chooses the map of a region."""


class RegionsGraph(nn.Module):
    """Finds objects in resized and padded images."""

    def __init__(self, network: nn.Module, strides: Mapping[str, int]) -> None:
        """Take a network.

        Args:
            network: torchvision's, in evaluation mode.
            strides: Of the maps that regions are cut from, by name.
        """
        super().__init__()
        self.network: Any = network
        self.strides = dict(strides)

    def forward(
        self, images_bchw: torch.Tensor, limits_4: torch.Tensor, ratios_4: torch.Tensor
    ) -> torch.Tensor:
        """Return the objects, b x rows x 6, and after them the positions of their masks.

        Args:
            images_bchw: The images, normalised, resized and padded.
            limits_4: Width, height, width and height without the padding.
            ratios_4: See `write_rows`.
        """
        heads = self.network.roi_heads
        maps = self.network.backbone(images_bchw)
        regions = propose(self.network.rpn, list(maps.values()), images_bchw, limits_4)
        boxes_bk4, scores_bk, labels_bk = self._classify(maps, *regions, limits_4)
        rows_bkx = write_rows(boxes_bk4, scores_bk, labels_bk, ratios_4)
        if heads.mask_roi_pool is None:
            return rows_bkx
        masks_bkx = self._mask(maps, boxes_bk4, labels_bk + 1)
        masks_bkx = torch.where(scores_bk[:, :, None] > 0, masks_bkx, 0.0)
        return torch.cat([rows_bkx, masks_bkx], dim=2)

    def _classify(
        self,
        maps: Mapping[str, torch.Tensor],
        regions_br4: torch.Tensor,
        is_region_br: torch.Tensor,
        limits_4: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the boxes of objects, their scores and classes, without the background."""
        heads = self.network.roi_heads
        num_regions = regions_br4.shape[1]
        vectors = heads.box_head(self._cut(maps, regions_br4, heads.box_roi_pool))
        logits_mc, codes_mx = heads.box_predictor(vectors)
        num_classes = logits_mc.shape[1] - 1
        boxes_mx = heads.box_coder.decode_single(codes_mx, regions_br4.reshape(-1, 4))
        boxes_brc4 = boxes_mx.reshape(-1, num_regions, num_classes + 1, 4)
        scores_brc = logits_mc.softmax(-1).reshape(-1, num_regions, num_classes + 1)
        # Each class is a group: its boxes stand together.
        boxes_bcr4 = clip(boxes_brc4[:, :, 1:].transpose(1, 2), limits_4)
        scores_bcr = scores_brc[:, :, 1:].transpose(1, 2)
        is_candidate_bcr = is_region_br[:, None] & is_large(boxes_bcr4, _LEAST_PX)
        is_candidate_bcr = is_candidate_bcr & (scores_bcr > heads.score_thresh)
        boxes_bm4, scores_bm = boxes_bcr4.flatten(1, 2), scores_bcr.flatten(1)
        is_candidate_bm = is_candidate_bcr.flatten(1)
        labels_c = torch.arange(1, num_classes + 1)
        labels_bm = labels_c[None, :, None].expand_as(scores_bcr).flatten(1)
        moved_bm4 = move_apart(boxes_bm4, labels_bm, is_candidate_bm)
        scores_bm = mark(scores_bm, is_candidate_bm)
        kept_g1r = suppress(
            moved_bm4.reshape(-1, num_regions, 4),
            scores_bm.reshape(-1, 1, num_regions),
            heads.nms_thresh,
            heads.detections_per_img,
        )
        kept_bm = kept_g1r.reshape(-1, num_classes * num_regions)
        scores_bk, rows_bk = mark(scores_bm, kept_bm).topk(heads.detections_per_img, dim=1)
        return take(boxes_bm4, rows_bk), scores_bk, rows_bk // num_regions

    def _mask(
        self, maps: Mapping[str, torch.Tensor], boxes_bk4: torch.Tensor, outputs_bk: torch.Tensor
    ) -> torch.Tensor:
        """Return the mask of each object, b x k x positions, values in 0..1."""
        heads = self.network.roi_heads
        cut = self._cut(maps, boxes_bk4, heads.mask_roi_pool)
        logits_mchw = heads.mask_predictor(heads.mask_head(cut))
        num_rows, side = boxes_bk4.shape[1], logits_mchw.shape[2]
        outputs_m1hw = outputs_bk.reshape(-1, 1, 1, 1).expand(-1, -1, side, side)
        masks_m1hw: torch.Tensor = logits_mchw.gather(1, outputs_m1hw).sigmoid()
        return masks_m1hw.reshape(-1, num_rows, side * side)

    def _cut(
        self, maps: Mapping[str, torch.Tensor], boxes_br4: torch.Tensor, pool: Any
    ) -> torch.Tensor:
        """Cut regions out of the maps, each out of the one that suits its size."""
        num_images, num_regions = boxes_br4.shape[:2]
        images_br1 = torch.arange(num_images)[:, None, None].expand(-1, num_regions, 1)
        rois_m5 = torch.cat([images_br1.float(), boxes_br4], dim=2).reshape(-1, 5)
        sides_m2 = rois_m5[:, 3:] - rois_m5[:, 1:3]
        sizes_m = (sides_m2[:, 0] * sides_m2[:, 1]).sqrt() / _CANONICAL_PX
        chosen_m = torch.zeros_like(sizes_m)
        for stride in list(self.strides.values())[1:]:
            level = stride.bit_length() - 1
            chosen_m = chosen_m + (sizes_m >= 2 ** (level - _CANONICAL_LEVEL - _EPSILON)).float()
        regions_mchw: torch.Tensor = cut_regions(
            [maps[name] for name in self.strides],
            rois_m5,
            chosen_m,
            [1 / stride for stride in self.strides.values()],
            pool.output_size[0],
            pool.sampling_ratio,
        )
        return regions_mchw
