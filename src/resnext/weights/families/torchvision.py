"""torchvision's names, which are ours; timm's plain ResNets and ResNeXts have them too.

So do many CIFAR networks (kuangliu, akamaster, chenyaofo, bearpaw), except for the projection of a
shortcut, which has half a dozen names. An average pool before it (ResNet-D) shifts the numbers to
`downsample.1` and `downsample.2`, which are not names of a projection here.

Source: torchvision/models/resnet.py; timm/models/resnet.py; kuangliu/pytorch-cifar,
models/resnet.py.
"""

from __future__ import annotations

from itertools import product

from resnext.weights.families.family import KeyFamily, Row, in_blocks

_LAYERS = tuple(f"{layer}{number}" for number in (1, 2, 3) for layer in ("conv", "bn"))
_SHORTCUTS = (
    *product(("downsample", "shortcut", "skip", "proj"), (("0", "1"), ("conv", "bn"))),
    ("shortcut", ("shortcut_conv", "shortcut_bn")),
)

PROJECTIONS: tuple[Row, ...] = tuple(
    (f"downsample.{number}", f"{name}.{parts[number]}")
    for name, parts in _SHORTCUTS
    for number in (0, 1)
)
"""Our layers of a projection with their usual names elsewhere."""

_TABLE: tuple[Row, ...] = (
    *((module, module) for module in ("conv1", "bn1", "norm")),
    *in_blocks("layer{s}.{b}.", (*((layer, layer) for layer in _LAYERS), *PROJECTIONS)),
    # Our forms (a) and (b) keep the paths of a block separate.
    *in_blocks("layer{s}.{b}.", tuple((f"paths.{{p}}.{x}", f"paths.{{p}}.{x}") for x in _LAYERS)),
)

TORCHVISION = KeyFamily("torchvision", _TABLE)
