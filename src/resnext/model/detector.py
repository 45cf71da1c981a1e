"""Networks that find objects: torchvision's detectors on a backbone of ours.

Module names are those of torchvision's `retinanet_resnet50_fpn` and so on, so that state dicts are
exchanged as they are. The interface is torchvision's too: a list of images, each channels x height
x width with values in 0..1, and in training their targets; a dictionary of `boxes` (pixels: left,
top, right, bottom), `scores` and `labels` for each image, or of losses in training. Labels begin
with 1; 0 is the background.

Source: torchvision/models/detection/retinanet.py, faster_rcnn.py, mask_rcnn.py.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import nn
from torchvision.models.detection import FasterRCNN, MaskRCNN, RetinaNet
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.faster_rcnn import FastRCNNConvFCHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads
from torchvision.models.detection.retinanet import RetinaNetHead
from torchvision.models.detection.rpn import RPNHead
from torchvision.ops import FrozenBatchNorm2d
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool, LastLevelP6P7

from resnext.model.card import ModelCard
from resnext.model.detector_config import NUM_GROUPS, DetectorConfig
from resnext.model.feature_info import feature_info
from resnext.model.network import ResNeXt
from resnext.model.plan import plan_network
from resnext.model.stage_detector import build_stage_detector

HIDDEN_CHANNELS = 256
"""Of the convolutions on regions."""

RATIOS = (0.5, 1.0, 2.0)
"""Height over width of the anchors at a position."""

OCTAVES = (0.0, 1 / 3, 2 / 3)
"""RetinaNet's anchors of one ratio: each a third of a doubling larger."""


def build_detector(config: DetectorConfig) -> nn.Module:
    """Build a detector; `.config` is its architecture.

    Args:
        config: The network.
    """
    card = ModelCard()
    is_grey = len(card.mean) != config.in_channels
    options: dict[str, Any] = {
        "min_size": config.min_size_px,
        "max_size": config.max_size_px,
        "image_mean": [0.5] * config.in_channels if is_grey else list(card.mean),
        "image_std": [0.5] * config.in_channels if is_grey else list(card.std),
    }
    network = _BUILDERS[config.family](config, options)
    network.config = config  # type: ignore[assignment]  # as every network of ours has it
    return network


def use_statistics(network: nn.Module, card: ModelCard) -> None:
    """Normalise images by a card's mean and deviation; a detector does that itself."""
    transform: Any = network.transform
    num_channels = len(transform.image_mean)
    for name, values in (("image_mean", card.mean), ("image_std", card.std)):
        setattr(transform, name, list(values) * (num_channels if len(values) == 1 else 1))


def _retinanet(config: DetectorConfig, options: dict[str, Any]) -> nn.Module:
    is_second = config.version == 2
    last_channels = feature_info(plan_network(config.backbone), 1).channels()[0]
    channels = config.pyramid_channels
    extra = LastLevelP6P7(last_channels if is_second else channels, channels)
    num_outputs = config.num_classes + 1  # torchvision counts the background here too
    sizes = tuple(
        tuple(int(side * 2**octave) for octave in OCTAVES) for side in config.anchor_sizes_px
    )
    anchors = _anchors(sizes)
    backbone = _backbone(config, (2, 3, 4), extra)
    head = RetinaNetHead(
        channels,
        anchors.num_anchors_per_location()[0],
        num_outputs,
        norm_layer=partial(nn.GroupNorm, NUM_GROUPS) if is_second else None,
    )
    if is_second:
        head.regression_head._loss_type = "giou"
    network: nn.Module = RetinaNet(
        backbone, num_outputs, anchor_generator=anchors, head=head, **options
    )
    return network


def _two_stages(config: DetectorConfig, options: dict[str, Any]) -> nn.Module:
    norm = nn.BatchNorm2d if config.version == 2 else None
    sizes = tuple((side,) for side in config.anchor_sizes_px)
    anchors = _anchors(sizes)
    num_anchors = anchors.num_anchors_per_location()[0]
    channels, hidden = config.pyramid_channels, [HIDDEN_CHANNELS] * 4
    backbone = _backbone(config, (1, 2, 3, 4), LastLevelMaxPool(), norm)
    options["rpn_head"] = RPNHead(channels, num_anchors, conv_depth=config.version)
    if norm is not None:
        options["box_head"] = FastRCNNConvFCHead((channels, 7, 7), hidden, [1024], norm_layer=norm)
    if config.family == "mask_rcnn" and norm is not None:
        options["mask_head"] = MaskRCNNHeads(channels, hidden, 1, norm_layer=norm)
    kind = FasterRCNN if config.family == "faster_rcnn" else MaskRCNN
    network: nn.Module = kind(
        backbone, config.num_classes + 1, rpn_anchor_generator=anchors, **options
    )
    return network


def _without_pyramid(config: DetectorConfig, options: dict[str, Any]) -> nn.Module:
    return build_stage_detector(config, _body(config), _anchors((config.anchor_sizes_px,)), options)


_BUILDERS: dict[str, Callable[[DetectorConfig, dict[str, Any]], nn.Module]] = {
    "retinanet": _retinanet,
    "faster_rcnn": _two_stages,
    "mask_rcnn": _two_stages,
    "faster_rcnn_c4": _without_pyramid,
}


def _anchors(sizes: tuple[tuple[int, ...], ...]) -> AnchorGenerator:
    # They are no buffers: made on the meta device, they would stay there.
    with torch.device("cpu"):
        return AnchorGenerator(sizes, (RATIOS,) * len(sizes))


def _backbone(
    config: DetectorConfig,
    stages: tuple[int, ...],
    extra: nn.Module,
    norm: type[nn.Module] | None = None,
) -> nn.Module:
    """Put a pyramid on the maps of these stages."""
    backbone: nn.Module = BackboneWithFPN(
        _body(config),
        return_layers={f"layer{stage}": str(number) for number, stage in enumerate(stages)},
        in_channels_list=feature_info(plan_network(config.backbone), stages).channels(),
        out_channels=config.pyramid_channels,
        extra_blocks=extra,
        norm_layer=norm,
    )
    return backbone


def _body(config: DetectorConfig) -> ResNeXt:
    body = ResNeXt(config.backbone)
    if config.frozen_norm:
        freeze_norms(body, config.norm_epsilon)
    return body


def freeze_norms(network: nn.Module, epsilon: float) -> None:
    """Replace every BN by one that keeps its statistics and weights."""
    for name, child in network.named_children():
        if isinstance(child, nn.BatchNorm2d):
            setattr(network, name, FrozenBatchNorm2d(child.num_features, eps=epsilon))
        else:
            freeze_norms(child, epsilon)
