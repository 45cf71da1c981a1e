"""torchvision's names, which are ours; timm's plain ResNets and ResNeXts have them too.

Source: torchvision/models/resnet.py; timm/models/resnet.py.
"""

from __future__ import annotations

from resnext.weights.families.family import KeyFamily, canonical_rows

TORCHVISION = KeyFamily("torchvision", canonical_rows())
