"""Small pictures of the most confident mistakes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from resnext.data.split import DataInfo, Split
from resnext.errors import DataError
from resnext.evaluation.drawing import data_address
from resnext.evaluation.metrics import Mistake

_SIDE_PX = 144
_SMALL_PX = 64


@dataclass(frozen=True)
class Thumbnail:
    """A picture and what is to be said of it.

    Attributes:
        address: The picture itself, as a `data:` address.
        is_small: It is to be enlarged with its pixels visible.
        name: File name below the folder of the data set, or the image's number.
        label: Name of its class.
        prediction: Name of the predicted class.
        confidence: Probability of the prediction, 0..1.
    """

    address: str
    is_small: bool
    name: str
    label: str
    prediction: str
    confidence: float


def make_thumbnails(mistakes: Sequence[Mistake], split: Split, info: DataInfo) -> list[Thumbnail]:
    """Read the images of some mistakes again; one that has become unreadable is left out.

    Args:
        mistakes: What went wrong.
        split: The images.
        info: Names of the classes, channels of the images.
    """
    images = split.reader(info.in_channels)
    made = []
    for mistake in mistakes:
        try:
            image = images.open(mistake.index)
        except DataError:
            continue
        is_small = max(image.size) <= _SMALL_PX
        made.append(
            Thumbnail(
                address=_encode(image, is_small=is_small),
                is_small=is_small,
                name=_name(split, mistake.index),
                label=info.classes[mistake.label],
                prediction=info.classes[mistake.prediction],
                confidence=mistake.confidence,
            )
        )
    return made


def _encode(image: Image.Image, *, is_small: bool) -> str:
    file = io.BytesIO()
    if is_small:
        image.save(file, "PNG")
        return data_address(file.getvalue(), "image/png")
    image.thumbnail((_SIDE_PX, _SIDE_PX))
    image.save(file, "JPEG", quality=80)
    return data_address(file.getvalue(), "image/jpeg")


def _name(split: Split, index: int) -> str:
    return split.name(index).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
