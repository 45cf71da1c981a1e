"""mmpretrain's names: torchvision's below `backbone`, and a head.

Source: mmpretrain/models/backbones/resnet.py, models/heads/linear_head.py.
"""

from __future__ import annotations

from resnext.weights.families.family import KeyFamily, canonical_rows

MMPRETRAIN = KeyFamily(
    "mmpretrain",
    (*(row for row in canonical_rows("backbone.") if row[0] != "fc"), ("fc", "head.fc")),
    ignored=("data_preprocessor.",),
)
