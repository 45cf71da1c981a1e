"""detectron2's names: a stem and res2 to res5, each convolution with its `norm` below it.

Its published networks take blue, green, red. A ResNet from MSRA has its stride in the first 1x1 of
a block, which the tensors do not show: a warning says that the 3x3 is assumed. The ResNeXts and the
`torchvision` conversions have it there, as ours do.

Source: detectron2/modeling/backbone/resnet.py; tools/convert-torchvision-to-d2.py.
"""

from __future__ import annotations

from resnext.weights.families.family import KeyFamily

_LAYERS = (
    ("conv1", "stem.conv1"),
    ("bn1", "stem.conv1.norm"),
    ("layer{s}.{b}.conv1", "res{s}.{b}.conv1"),
    ("layer{s}.{b}.bn1", "res{s}.{b}.conv1.norm"),
    ("layer{s}.{b}.conv2", "res{s}.{b}.conv2"),
    ("layer{s}.{b}.bn2", "res{s}.{b}.conv2.norm"),
    ("layer{s}.{b}.conv3", "res{s}.{b}.conv3"),
    ("layer{s}.{b}.bn3", "res{s}.{b}.conv3.norm"),
    ("layer{s}.{b}.downsample.0", "res{s}.{b}.shortcut"),
    ("layer{s}.{b}.downsample.1", "res{s}.{b}.shortcut.norm"),
)

DETECTRON2 = KeyFamily("detectron2", _LAYERS, first_stage=2, is_bgr=True)
