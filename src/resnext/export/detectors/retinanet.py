"""RetinaNet with a fixed number of rows. Legend: b images, n anchors, k rows, c outputs.

Source: torchvision/models/detection/retinanet.py, `RetinaNet.postprocess_detections`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from resnext.export.detectors.boxes import (
    anchors_on,
    best,
    clip,
    decode,
    mark,
    move_apart,
    take,
    write_rows,
)
from resnext.export.detectors.suppress import UNUSED, suppress

Level = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


class RetinaNetGraph(nn.Module):
    """Finds objects in resized and padded images."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network: Any = network

    def forward(
        self, images_bchw: torch.Tensor, limits_4: torch.Tensor, ratios_4: torch.Tensor
    ) -> torch.Tensor:
        """Return the objects, b x rows x 6; see `write_rows`.

        Args:
            images_bchw: The images, normalised, resized and padded.
            limits_4: Width, height, width and height without the padding.
            ratios_4: See `write_rows`.
        """
        network = self.network
        maps = network.backbone(images_bchw).values()
        cells = network.anchor_generator.cell_anchors
        levels = [
            self._level(map_bchw, anchors_on(map_bchw, images_bchw, cell_a4))
            for map_bchw, cell_a4 in zip(maps, cells, strict=True)
        ]
        codes_bn4, anchors_bn4, scores_bn, labels_bn = (
            torch.cat(part, 1) for part in zip(*levels, strict=True)
        )
        boxes_bn4 = clip(decode(network.box_coder, codes_bn4, anchors_bn4), limits_4)
        moved_bn4 = move_apart(boxes_bn4, labels_bn, scores_bn > 0)
        classes_c = torch.arange(network.head.classification_head.num_classes)
        is_class_bcn = labels_bn[:, None] == classes_c[None, :, None]
        scores_bcn = torch.where(is_class_bcn, scores_bn[:, None], UNUSED)
        kept_bcn = suppress(moved_bn4, scores_bcn, network.nms_thresh, network.detections_per_img)
        kept_bn = kept_bcn.float().amax(dim=1) > 0
        scores_bk, rows_bk = mark(scores_bn, kept_bn).topk(network.detections_per_img, dim=1)
        labels_bk = labels_bn.gather(1, rows_bk)
        scores_bk = mark(scores_bk, labels_bk > 0)  # 0 is the background
        return write_rows(take(boxes_bn4, rows_bk), scores_bk, labels_bk - 1, ratios_4)

    def _level(self, map_bchw: torch.Tensor, anchors_n4: torch.Tensor) -> Level:
        """Return the best rows of one map: codes, their anchors, scores and classes."""
        network = self.network
        logits_bnc = network.head.classification_head([map_bchw])
        codes_bn4 = network.head.regression_head([map_bchw])
        num_classes = logits_bnc.shape[2]
        scores_bm = logits_bnc.sigmoid().flatten(1)
        scores_bm = mark(scores_bm, scores_bm > network.score_thresh)
        scores_bk, rows_bk = best(scores_bm, network.topk_candidates)
        numbers_bk = rows_bk // num_classes
        codes_bk4 = take(codes_bn4, numbers_bk)
        return codes_bk4, anchors_n4[numbers_bk], scores_bk, rows_bk % num_classes
