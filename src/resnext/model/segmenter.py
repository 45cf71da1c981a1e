"""Networks that give every pixel a class: a backbone of ours under a head of another library.

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
from resnext.model.choices import DECODERS
from resnext.model.config import ResNeXtConfig, SegmenterConfig
from resnext.model.decoder import Decoder
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
        self.backbone = Backbone(ResNeXt(config.backbone), out_indices=map_indices(config))
        channels = self.backbone.feature_info.channels()
        self.classifier = _head(config, self.backbone)
        self.aux_classifier = FCNHead(channels[-2], config.num_classes) if config.aux_head else None
        self._multiple = config.side_multiple

    def forward(self, images_bchw: torch.Tensor) -> torch.Tensor:
        """Return the scores of every pixel's classes, b x k x h x w.

        Args:
            images_bchw: Normalised images of any size.

        Raises:
            ConfigError: The channels do not fit.
        """
        padded_bchw = self._pad(images_bchw)
        return self._crop(self._scores(self.backbone(padded_bchw), padded_bchw), images_bchw)

    def forward_with_aux(self, images_bchw: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the scores of both heads, for training."""
        assert self.aux_classifier is not None
        padded_bchw = self._pad(images_bchw)
        maps = self.backbone(padded_bchw)
        scores = (
            self._scores(maps, padded_bchw),
            _resize(self.aux_classifier(maps[-2]), padded_bchw),
        )
        first, second = (self._crop(scores_bkhw, images_bchw) for scores_bkhw in scores)
        return first, second

    def _scores(self, maps: list[torch.Tensor], images_bchw: torch.Tensor) -> torch.Tensor:
        if isinstance(self.classifier, Decoder):
            scores_bkhw: torch.Tensor = self.classifier(maps, images_bchw)
            return scores_bkhw
        return _resize(self.classifier(maps[-1]), images_bchw)

    def _pad(self, images_bchw: torch.Tensor) -> torch.Tensor:
        """Add zeros (the mean of the data) to the right and below, up to whole positions."""
        if self._multiple == 1:
            return images_bchw
        height, width = images_bchw.shape[-2:]
        # Padding by nothing copies too, but a branch would fix the sizes of an export.
        return F.pad(images_bchw, (0, self._missing(width), 0, self._missing(height)))

    def _crop(self, scores_bkhw: torch.Tensor, images_bchw: torch.Tensor) -> torch.Tensor:
        """Take the padding away."""
        if self._multiple == 1:
            return scores_bkhw
        height, width = images_bchw.shape[-2:]
        # A slice would make an exported program take either multiples only or none.
        return F.pad(scores_bkhw, (0, -self._missing(width), 0, -self._missing(height)))

    def _missing(self, side: int) -> int:
        return (side + self._multiple - 1) // self._multiple * self._multiple - side


def map_indices(config: SegmenterConfig) -> tuple[int, ...]:
    """Return the backbone's maps that the heads read; 0 is the stem's."""
    num_stages = len(config.backbone.blocks_per_stage)
    first = {"unet": 0, "fpn": 1}.get(config.family, num_stages - config.aux_head)
    return tuple(range(first, num_stages + 1))


def atrous_rates(config: ResNeXtConfig) -> tuple[int, ...]:
    """Return the dilations of DeepLab's head: half as large where a position has twice the side.

    Source: arXiv 1706.05587, section 3.3.
    """
    natural = output_strides(config.stem, len(config.blocks_per_stage))[-1]
    stride = config.output_stride or natural
    return tuple(max(rate * 8 // stride, 1) for rate in RATES_AT_8)


def _head(config: SegmenterConfig, backbone: Backbone) -> nn.Module:
    channels = backbone.feature_info.channels()
    if config.family in DECODERS:
        head: nn.Module = Decoder(config, backbone.feature_info)
    elif config.family == "fcn":
        head = FCNHead(channels[-1], config.num_classes)
    else:
        head = DeepLabHead(channels[-1], config.num_classes, atrous_rates(config.backbone))
    return head


def _resize(scores_bkhw: torch.Tensor, images_bchw: torch.Tensor) -> torch.Tensor:
    size = images_bchw.shape[-2:]
    return F.interpolate(scores_bkhw, size=size, mode="bilinear", align_corners=False)
