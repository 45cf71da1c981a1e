"""The peers' networks: their decoders on the encoder of our comparison, from scratch.

The encoder is a ResNeXt of four bottleneck blocks, 32x4d, which torchvision's `ResNet` and the
encoder of segmentation_models_pytorch build from their own code. Heads on one map work at output
stride 16 and have torchvision's second head for training.
"""

from __future__ import annotations

from typing import Literal

import segmentation_models_pytorch as smp
import torchvision
from segmentation_models_pytorch.encoders.resnet import ResNetEncoder
from torch import nn
from torchvision.models._utils import IntermediateLayerGetter
from torchvision.models.segmentation.deeplabv3 import DeepLabHead, DeepLabV3
from torchvision.models.segmentation.fcn import FCNHead

Head = Literal["deeplabv3", "unet", "fpn"]
HEADS: tuple[Head, ...] = ("deeplabv3", "unet", "fpn")

OUR_NAME = "resnext_1-1-1-1_32x4d"
OUTPUT_STRIDE = 16

_LAYERS = [1, 1, 1, 1]
_BLOCK = torchvision.models.resnet.Bottleneck
_ENCODER = "resnext14_32x4d"


def library_of(head: Head) -> str:
    """Return the library that people use for a head."""
    return "torchvision" if head == "deeplabv3" else "segmentation_models_pytorch"


def peer_network(head: Head, num_classes: int) -> nn.Module:
    """Return a peer's network with random weights."""
    if head == "deeplabv3":
        return _deeplab(num_classes)
    smp.encoders.encoders[_ENCODER] = {
        "encoder": ResNetEncoder,
        "pretrained_settings": {},
        "params": {
            "out_channels": [3, 64, 256, 512, 1024, 2048],
            "block": _BLOCK,
            "layers": _LAYERS,
            "groups": 32,
            "width_per_group": 4,
        },
    }
    build = smp.Unet if head == "unet" else smp.FPN
    network: nn.Module = build(_ENCODER, encoder_weights=None, classes=num_classes)
    return network


def _deeplab(num_classes: int) -> nn.Module:
    encoder = torchvision.models.ResNet(
        _BLOCK,
        _LAYERS,
        groups=32,
        width_per_group=4,
        replace_stride_with_dilation=[False, False, True],
    )
    maps = IntermediateLayerGetter(encoder, {"layer4": "out", "layer3": "aux"})
    network: nn.Module = DeepLabV3(maps, DeepLabHead(2048, num_classes), FCNHead(1024, num_classes))
    return network
