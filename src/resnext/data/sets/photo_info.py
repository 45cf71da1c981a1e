"""What is usual for photographs."""

from __future__ import annotations

from resnext.data.split import DataInfo

_DEFAULT_SIZE_PX = 224
# Statistics of ImageNet's training images, which the field uses for photographs.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def photo_info(name: str, classes: tuple[str, ...]) -> DataInfo:
    """Return what is usual for photographs."""
    return DataInfo(name, classes, 3, _DEFAULT_SIZE_PX, MEAN, STD)
