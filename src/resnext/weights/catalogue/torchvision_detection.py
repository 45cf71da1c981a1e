"""torchvision's detectors over ResNet-50 on COCO 2017.

Sources, read 2026-11:

- torchvision 0.29.1: `torchvision.models.detection`, the weights' addresses, `meta["_metrics"]`
  (on COCO's val2017) and `meta["categories"]`, which are COCO's categories by their numbers after
  the background; the eight digits in a file's name are the first of its SHA-256
- https://docs.pytorch.org/vision/stable/models.html: the same figures, one page per network; it
  says that weights may be subject to terms of their training data
- https://github.com/pytorch/vision/blob/main/LICENSE: BSD-3-Clause
"""

from __future__ import annotations

from resnext.weights.entry import WeightsEntry

_FILES = "https://download.pytorch.org/models"
_PAGES = "https://docs.pytorch.org/vision/stable/models/generated"

# Our name, torchvision's, digits of SHA-256, AP of boxes and of masks in percent.
_ROWS: tuple[tuple[str, str, str, float, float | None], ...] = (
    ("retinanet_resnet50", "retinanet_resnet50_fpn", "eeacb38b", 36.4, None),
    ("retinanet_resnet50_v2", "retinanet_resnet50_fpn_v2", "5905b1c5", 41.5, None),
    ("fasterrcnn_resnet50", "fasterrcnn_resnet50_fpn", "258fb6c6", 37.0, None),
    ("fasterrcnn_resnet50_v2", "fasterrcnn_resnet50_fpn_v2", "dd69338a", 46.7, None),
    ("maskrcnn_resnet50", "maskrcnn_resnet50_fpn", "bf2d0c1e", 37.9, 34.6),
    ("maskrcnn_resnet50_v2", "maskrcnn_resnet50_fpn_v2", "73cbd019", 47.4, 41.8),
)


def entries() -> tuple[WeightsEntry, ...]:
    """Build the entries of this publisher."""
    return tuple(_entry(*row) for row in _ROWS)


def _entry(
    network: str, theirs: str, digits: str, box_ap: float, mask_ap: float | None
) -> WeightsEntry:
    return WeightsEntry(
        name=f"{theirs}.coco_v1",
        network=network,
        family="torchvision",
        address=f"{_FILES}/{theirs}_coco-{digits}.pth",
        sha256=digits,
        licence="BSD-3-Clause",
        classes="coco90",
        task="detection",
        image_size_px=800,
        resize_px=None,
        box_ap=box_ap,
        mask_ap=mask_ap,
        published_at=f"{_PAGES}/torchvision.models.detection.{theirs}.html",
    )
