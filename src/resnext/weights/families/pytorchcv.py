"""pytorchcv's names: features of stages and units, whose layers pair a `conv` with a `bn`.

The stem of its CIFAR networks is one such pair; that of its ImageNet networks contains one.

Source: pytorchcv/models/resnet.py, resnext.py and resnext_cifar.py.
"""

from __future__ import annotations

from resnext.weights.families.family import KeyFamily

_UNIT = "features.stage{s}.unit{b}."

PYTORCHCV = KeyFamily(
    "pytorchcv",
    (
        ("conv1", "features.init_block.conv.conv"),
        ("bn1", "features.init_block.conv.bn"),
        ("conv1", "features.init_block.conv"),
        ("bn1", "features.init_block.bn"),
        ("layer{s}.{b}.conv1", f"{_UNIT}body.conv1.conv"),
        ("layer{s}.{b}.bn1", f"{_UNIT}body.conv1.bn"),
        ("layer{s}.{b}.conv2", f"{_UNIT}body.conv2.conv"),
        ("layer{s}.{b}.bn2", f"{_UNIT}body.conv2.bn"),
        ("layer{s}.{b}.conv3", f"{_UNIT}body.conv3.conv"),
        ("layer{s}.{b}.bn3", f"{_UNIT}body.conv3.bn"),
        ("layer{s}.{b}.downsample.0", f"{_UNIT}identity_conv.conv"),
        ("layer{s}.{b}.downsample.1", f"{_UNIT}identity_conv.bn"),
    ),
    first_block=1,
)
