"""Well-known networks and depths: those of the paper's tables, and those that the field uses."""

from __future__ import annotations

BOTTLENECK_STAGES = {
    14: (1, 1, 1, 1),
    26: (2, 2, 2, 2),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
    200: (3, 24, 36, 3),
}
BASIC_STAGES = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}
"""Blocks of each stage, by the depth of a network with the ImageNet stem."""

PRESETS = (
    *("resnet18", "resnet34", "resnet26", "resnet50", "resnet101", "resnet101_1x100d"),
    *("resnet152", "resnet200"),
    *(f"resnext50_{template}" for template in ("2x40d", "4x24d", "8x14d", "32x4d")),
    *(f"resnext101_{template}" for template in ("2x40d", "4x24d", "8x14d", "32x4d")),
    *("resnext101_2x64d", "resnext101_64x4d", "resnext101_32x8d"),
    *("resnext26_32x4d", "resnext152_32x4d", "resnext200_32x4d"),
    *("resnet29", "resnext29_2x64d", "resnext29_4x64d", "resnext29_8x64d", "resnext29_16x64d"),
    *("resnext29_32x4d", "resnext38_8x64d"),
    *("fcn_resnet50", "fcn_resnet101", "deeplabv3_resnet50", "deeplabv3_resnet101"),
    *("deeplabv3_resnext50_32x4d", "deeplabv3_resnext101_32x4d"),
    *("unet_resnext50_32x4d", "fpn_resnext50_32x4d"),
    *("retinanet_resnet50", "retinanet_resnext50_32x4d", "fasterrcnn_resnet50"),
    *("fasterrcnn_resnext50_32x4d", "fasterrcnn_resnext101_32x4d", "maskrcnn_resnet50"),
    *("vgg16_bn", "vgg19_bn", "inception_v3"),
)
