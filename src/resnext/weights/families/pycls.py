"""pycls' names: stem, stages s1 to s4 of blocks b1, ..., each with a transform f, and a head.

Its networks take images as OpenCV reads them: blue, green, red.

Source: pycls/models/resnet.py; pycls/datasets/imagenet.py for the order of the colours.
"""

from __future__ import annotations

from resnext.weights.families.family import KeyFamily

PYCLS = KeyFamily(
    "pycls",
    (
        ("conv1", "stem.conv"),
        ("bn1", "stem.bn"),
        ("layer{s}.{b}.conv1", "s{s}.b{b}.f.a"),
        ("layer{s}.{b}.bn1", "s{s}.b{b}.f.a_bn"),
        ("layer{s}.{b}.conv2", "s{s}.b{b}.f.b"),
        ("layer{s}.{b}.bn2", "s{s}.b{b}.f.b_bn"),
        ("layer{s}.{b}.conv3", "s{s}.b{b}.f.c"),
        ("layer{s}.{b}.bn3", "s{s}.b{b}.f.c_bn"),
        ("layer{s}.{b}.downsample.0", "s{s}.b{b}.proj"),
        ("layer{s}.{b}.downsample.1", "s{s}.b{b}.bn"),
    ),
    first_block=1,
    is_bgr=True,
)
