"""How a data set of boxes is named: `coco:DIR`, `voc:DIR`, `yolo:DIR`."""

from __future__ import annotations

from resnext.data.set_names import BOX_SETS


def is_box_set(text: str) -> bool:
    """Tell whether a text names a data set of boxes."""
    name, separator, _ = text.partition(":")
    return bool(separator) and name in BOX_SETS
