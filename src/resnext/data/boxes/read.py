"""From what a person types to a data set of boxes: `coco:DIR`, `voc:DIR`, `yolo:DIR`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from resnext.data.boxes.box_set import BoxSet
from resnext.data.boxes.coco_layout import load_coco
from resnext.data.boxes.voc import load_voc
from resnext.data.boxes.yolo import load_yolo
from resnext.errors import DataError

_LOADERS: dict[str, Callable[[Path], BoxSet]] = {
    "coco": load_coco,
    "voc": load_voc,
    "yolo": load_yolo,
}
_MAX_REASONS = 3


def load_boxes(text: str) -> BoxSet:
    """Read a data set.

    Args:
        text: `coco:DIR`, `voc:DIR` or `yolo:DIR`.

    Raises:
        DataError: It is missing or malformed.
    """
    name, _, folder = text.partition(":")
    root = Path(folder).expanduser().absolute()
    if not folder or not root.is_dir():
        raise DataError(f"{text}: {folder or 'nothing'} is not a folder; write {name}:FOLDER")
    found = _LOADERS[name](root)
    if not any(len(image.boxes_n4) for images in found.splits.values() for image in images):
        reasons = "; ".join(map(str, found.findings[:_MAX_REASONS]))
        raise DataError(f"{root}: contains no usable box: {reasons or 'its files list none'}")
    return found
