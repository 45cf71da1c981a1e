"""torchvision's ResNets, Wide ResNets and ResNeXts on ImageNet-1K, recipes V1 and V2.

Sources, read 2026-11:

- torchvision 0.29.1: `torchvision.models.resnet`, the weights' addresses, `transforms` and
  `meta["_metrics"]`; the eight digits in a file's name are the first of its SHA-256
- https://docs.pytorch.org/vision/stable/models.html: the same figures, one page per network; it
  says that weights may be subject to terms of their training data
- https://github.com/pytorch/vision/blob/main/LICENSE: BSD-3-Clause
"""

from __future__ import annotations

from resnext.weights.entry import WeightsEntry

_FILES = "https://download.pytorch.org/models"
_PAGES = "https://docs.pytorch.org/vision/stable/models/generated"

# Our name, torchvision's, the recipe, digits of SHA-256, accuracy in percent, short side in pixels.
_ROWS = (
    ("resnet18", "resnet18", "v1", "f37072fd", 69.758, 256),
    ("resnet34", "resnet34", "v1", "b627a593", 73.314, 256),
    ("resnet50", "resnet50", "v1", "0676ba61", 76.130, 256),
    ("resnet50", "resnet50", "v2", "11ad3fa6", 80.858, 232),
    ("resnet101", "resnet101", "v1", "63fe2227", 77.374, 256),
    ("resnet101", "resnet101", "v2", "cd907fc2", 81.886, 232),
    ("resnet152", "resnet152", "v1", "394f9c45", 78.312, 256),
    ("resnet152", "resnet152", "v2", "f82ba261", 82.284, 232),
    ("resnext50_32x4d", "resnext50_32x4d", "v1", "7cdf4587", 77.618, 256),
    ("resnext50_32x4d", "resnext50_32x4d", "v2", "1a0047aa", 81.198, 232),
    ("resnext101_32x8d", "resnext101_32x8d", "v1", "8ba56ff5", 79.312, 256),
    ("resnext101_32x8d", "resnext101_32x8d", "v2", "110c445d", 82.834, 232),
    ("resnext101_64x4d", "resnext101_64x4d", "v1", "173b62eb", 83.246, 232),
    ("resnet50_1x128d", "wide_resnet50_2", "v1", "95faca4d", 78.468, 256),
    ("resnet50_1x128d", "wide_resnet50_2", "v2", "9ba9bcbe", 81.602, 232),
    ("resnet101_1x128d", "wide_resnet101_2", "v1", "32ee1156", 78.848, 256),
    ("resnet101_1x128d", "wide_resnet101_2", "v2", "d733dc28", 82.510, 232),
)


def entries() -> tuple[WeightsEntry, ...]:
    """Build the entries of this publisher."""
    return tuple(_entry(*row) for row in _ROWS)


def _entry(
    network: str, theirs: str, recipe: str, digits: str, accuracy: float, resize_px: int
) -> WeightsEntry:
    return WeightsEntry(
        name=f"{network}.imagenet1k_{recipe}",
        network=network,
        family="torchvision",
        address=f"{_FILES}/{theirs}-{digits}.pth",
        sha256=digits,
        licence="BSD-3-Clause",
        resize_px=resize_px,
        top1_error=round(100 - accuracy, 3),
        published_at=f"{_PAGES}/torchvision.models.{theirs}.html",
    )
