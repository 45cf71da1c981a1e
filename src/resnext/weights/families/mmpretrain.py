"""mmpretrain's names: torchvision's below `backbone`, and the classifier `head.fc`.

Source: mmpretrain/models/backbones/resnet.py, models/heads/linear_head.py.
"""

from __future__ import annotations


def is_mmpretrain(prefix: str, head: str | None) -> bool:
    """Return whether torchvision's names are mmpretrain's, by the prefixes."""
    return prefix.endswith("backbone.") and head == f"{prefix.removesuffix('backbone.')}head.fc"
