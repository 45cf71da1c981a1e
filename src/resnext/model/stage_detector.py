"""Faster R-CNN without a pyramid, as in the paper: the last stage runs on every region.

Proposals and regions come from the map of the third stage (K. He et al., arXiv 1512.03385, appendix
A; S. Ren et al., arXiv 1506.01497). Legend: r regions.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torchvision.models._utils import IntermediateLayerGetter
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor
from torchvision.models.detection.rpn import RPNHead
from torchvision.ops import MultiScaleRoIAlign

from resnext.model.detector_config import NUM_TESTED, REGION_SIDE, DetectorConfig
from resnext.model.feature_info import feature_info
from resnext.model.network import ResNeXt
from resnext.model.plan import plan_network

_NUM_TRAINED = 64
"""Regions of an image in training (arXiv 1611.05431, appendix B)."""

_BEFORE = {"train": 12_000, "test": 6_000}
_KEPT = 2_000
"""Proposals before and after suppression (arXiv 1506.01497, section 3.3): a map has more anchors
than each of a pyramid."""


class FirstStages(nn.Module):
    """The layers that run on the whole image, up to the third stage."""

    def __init__(self, network: ResNeXt, out_channels: int) -> None:
        super().__init__()
        self.body = IntermediateLayerGetter(network, {"layer3": "0"})
        self.out_channels = out_channels

    def forward(self, images_bchw: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the map of the third stage."""
        maps: dict[str, torch.Tensor] = self.body(images_bchw)
        return maps


class LastStage(nn.Module):
    """The fourth stage, run on every region, and the mean over its positions."""

    def __init__(self, stage: nn.Module) -> None:
        super().__init__()
        self.layer4 = stage

    def forward(self, regions_rchw: torch.Tensor) -> torch.Tensor:
        """Return a vector of each region, r x c."""
        vectors: torch.Tensor = self.layer4(regions_rchw).mean(dim=(2, 3))
        return vectors


def build_stage_detector(
    config: DetectorConfig,
    network: ResNeXt,
    anchors: AnchorGenerator,
    options: dict[str, Any],
) -> nn.Module:
    """Build the detector.

    Args:
        config: Its architecture.
        network: The backbone, whose parts it takes.
        anchors: All sizes, on one map.
        options: Size and normalisation of images.
    """
    third, fourth = feature_info(plan_network(config.backbone), (3, 4)).channels()
    last = network.get_submodule("layer4")
    detector: nn.Module = FasterRCNN(
        FirstStages(network, third),
        rpn_anchor_generator=anchors,
        rpn_head=RPNHead(third, anchors.num_anchors_per_location()[0]),
        rpn_pre_nms_top_n_train=_BEFORE["train"],
        rpn_pre_nms_top_n_test=_BEFORE["test"],
        rpn_post_nms_top_n_train=_KEPT,
        rpn_post_nms_top_n_test=NUM_TESTED,
        box_roi_pool=MultiScaleRoIAlign(["0"], REGION_SIDE, sampling_ratio=2),
        box_head=LastStage(last),
        box_predictor=FastRCNNPredictor(fourth, config.num_classes + 1),
        box_batch_size_per_image=_NUM_TRAINED,
        **options,
    )
    return detector
