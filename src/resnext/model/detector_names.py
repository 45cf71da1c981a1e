"""Names of networks that find objects, such as `retinanet_resnext50_32x4d`. Needs no torch."""

from __future__ import annotations

import re
from dataclasses import dataclass

from resnext.model.detector_config import DETECTORS, DetectorConfig, DetectorHead

WORDS: dict[str, str] = {
    "retinanet": "retinanet",
    "faster_rcnn": "fasterrcnn",
    "mask_rcnn": "maskrcnn",
    "faster_rcnn_c4": "fasterrcnn_c4",
}
"""How names write the families: an underline would end the word."""

_PATTERN = re.compile(
    r"(?P<head>retinanet|faster_?rcnn_c4|faster_?rcnn|mask_?rcnn)_(?P<backbone>.+?)(?:_fpn)?(?P<second>_v2)?"
)


@dataclass(frozen=True)
class DetectorName:
    """The parts of a name.

    Attributes:
        family: The head.
        backbone: Name of the backbone.
        version: Of torchvision's layers.
    """

    family: DetectorHead
    backbone: str
    version: int


def split_detector_name(text: str) -> DetectorName | None:
    """Take a name apart; torchvision's `_fpn` may stand in it. None: it is another network's."""
    match = _PATTERN.fullmatch(text)
    if match is None:
        return None
    word = match["head"].replace("_", "")
    family = next(family for family in DETECTORS if WORDS[family].replace("_", "") == word)
    return DetectorName(family, match["backbone"], 2 if match["second"] else 1)


def write_detector_name(config: DetectorConfig, backbone: str) -> str:
    """Write the name of a network over a backbone of this name."""
    return f"{WORDS[config.family]}_{backbone}{'_v2' if config.version == 2 else ''}"
