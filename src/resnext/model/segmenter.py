"""Networks that give every pixel a class: a backbone of ours under a head of torchvision's.

Module names are those of torchvision's `fcn_resnet50`, `deeplabv3_resnet50` and so on, so that
state dicts are exchanged as they are. Legend: b images, c channels, k classes, h x w pixels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torchvision.models.segmentation.deeplabv3 import DeepLabHead
from torchvision.models.segmentation.fcn import FCNHead

from resnext.model.backbone import Backbone
from resnext.model.config import ResNeXtConfig, SegmenterConfig
from resnext.model.network import ResNeXt
from resnext.model.template import output_strides

RATES_AT_8 = (12, 24, 36)
"""Dilations of DeepLab's head on a map with one position for eight pixels."""


class Segmenter(nn.Module):
    """A backbone, a head, and a resize of the head's scores to the size of the image.

    Example:
        >>> import torch
        >>> from resnext import create_model
        >>> model = create_model("fcn_resnext50_32x4d", num_classes=11).eval()
        >>> model(torch.zeros(1, 3, 64, 96)).shape
        torch.Size([1, 11, 64, 96])

    Attributes:
        config: The architecture.
    """

    def __init__(self, config: SegmenterConfig) -> None:
        super().__init__()
        self.config = config
        num_stages = len(config.backbone.blocks_per_stage)
        indices = (num_stages - 1, num_stages) if config.aux_head else (num_stages,)
        self.backbone = Backbone(ResNeXt(config.backbone), out_indices=indices)
        *aux, last = self.backbone.feature_info.channels()
        self.classifier = _head(config, last)
        self.aux_classifier = FCNHead(aux[0], config.num_classes) if aux else None

    def forward(self, images_bchw: torch.Tensor) -> torch.Tensor:
        """Return the scores of every pixel's classes, b x k x h x w.

        Args:
            images_bchw: Normalised images.

        Raises:
            ConfigError: The channels do not fit.
        """
        last_bchw = self.backbone(images_bchw)[-1]
        return _resize(self.classifier(last_bchw), images_bchw)

    def forward_with_aux(self, images_bchw: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the scores of both heads, for training."""
        assert self.aux_classifier is not None
        before_bchw, last_bchw = self.backbone(images_bchw)
        scores = (self.classifier(last_bchw), self.aux_classifier(before_bchw))
        first, second = (_resize(scores_bkhw, images_bchw) for scores_bkhw in scores)
        return first, second


def atrous_rates(config: ResNeXtConfig) -> tuple[int, ...]:
    """Return the dilations of DeepLab's head: half as large where a position has twice the side.

    Source: arXiv 1706.05587, section 3.3.
    """
    natural = output_strides(config.stem, len(config.blocks_per_stage))[-1]
    stride = config.output_stride or natural
    return tuple(max(rate * 8 // stride, 1) for rate in RATES_AT_8)


def _head(config: SegmenterConfig, channels: int) -> nn.Module:
    if config.family == "fcn":
        head: nn.Module = FCNHead(channels, config.num_classes)
    else:
        head = DeepLabHead(channels, config.num_classes, atrous_rates(config.backbone))
    return head


def _resize(scores_bkhw: torch.Tensor, images_bchw: torch.Tensor) -> torch.Tensor:
    size = images_bchw.shape[-2:]
    return F.interpolate(scores_bkhw, size=size, mode="bilinear", align_corners=False)
