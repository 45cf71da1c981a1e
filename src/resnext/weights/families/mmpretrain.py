"""mmpretrain's names: torchvision's below `backbone`, and the classifier `head.fc` beside it.

Source: mmpretrain/models/backbones/resnet.py, models/heads/linear_head.py.
"""

from __future__ import annotations


def is_mmpretrain(prefix: str, head: str | None) -> bool:
    """Tell by the places of network and classifier whether torchvision's names are mmpretrain's."""
    return prefix.endswith("backbone.") and head == f"{prefix.removesuffix('backbone.')}head.fc"
