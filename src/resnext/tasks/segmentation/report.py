"""The part of a report for masks: classes, confusion, and the worst images with their masks."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from resnext.drawing import data_address
from resnext.errors import DataError
from resnext.tasks.classification.confusion import top_confusions, worst_classes
from resnext.tasks.section import MAX_NAMED_CLASSES, ReportInput, Section
from resnext.tasks.segmentation.colors import class_colors, overlay
from resnext.tasks.segmentation.result import SegmentationResult, WrongImage

_SIDE_PX = 320
_MAX_IN_LEGEND = 40


@dataclass(frozen=True)
class Comparison:
    """An image with its mask and that of the network.

    Attributes:
        name: File name below the folder of the data set.
        error: Share of wrong pixels, in percent.
        image: The picture, as a `data:` address.
        truth: The same with its mask.
        prediction: The same with the mask of the network.
    """

    name: str
    error: float
    image: str
    truth: str
    prediction: str


def report_section(given: ReportInput, classes: Section) -> Section:
    """Add confusion and worst images to the table of the classes."""
    result, names = given.result, given.info.classes
    assert isinstance(result, SegmentationResult)
    confusion_kk = torch.from_numpy(result.confusion_kk)
    colors = class_colors(names)[:_MAX_IN_LEGEND]
    values = {
        **classes.values,
        "table": worst_classes(confusion_kk, names, MAX_NAMED_CLASSES),
        "confusions": top_confusions(confusion_kk, names),
        "num_pixels": int(result.confusion_kk.sum()),
        "legend": [
            (name, f"rgb({red}, {green}, {blue})")
            for name, (red, green, blue) in zip(names, colors.tolist(), strict=False)
        ],
        "comparisons": [
            shown for image in result.worst if (shown := _compare(image, given)) is not None
        ],
    }
    return Section("segmentation/report.html.j2", values)


def _compare(found: WrongImage, given: ReportInput) -> Comparison | None:
    """Read an image and its mask again; None if they are no longer readable."""
    reader = given.split.reader(given.info.in_channels)
    try:
        image, truth_hw = reader.open(found.index), reader.mask(found.index)
    except DataError:
        return None
    if truth_hw.shape != found.mask_hw.shape:
        return None
    classes = given.info.classes
    pictures = [
        _encode(picture)
        for picture in (
            image,
            overlay(image, truth_hw, classes),
            overlay(image, np.where(truth_hw == 255, 255, found.mask_hw), classes),
        )
    ]
    name = given.split.name(found.index).encode("utf-8", "surrogateescape")
    return Comparison(name.decode("utf-8", "replace"), found.error, *pictures)


def _encode(image: Image.Image) -> str:
    picture = image.convert("RGB")
    picture.thumbnail((_SIDE_PX, _SIDE_PX))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=85)
    return data_address(file.getvalue(), "image/jpeg")
