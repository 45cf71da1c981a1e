"""The part of a report for objects: classes, kinds of errors, the images with most errors."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator

from PIL import Image, ImageDraw

from resnext.data.boxes.box_set import BoxImage
from resnext.data.split import ImageReader
from resnext.drawing import data_address
from resnext.errors import DataError
from resnext.tasks.detection.answer import MIN_SCORE
from resnext.tasks.detection.errors import Judged
from resnext.tasks.detection.result import DetectionResult
from resnext.tasks.section import ReportInput, Section

_MAX_WORST = 12
_SIDE_PX = 480
_HIT, _MISSED, _WRONG = "#00b050", "#1f77ff", "#ff2a2a"


def report_section(given: ReportInput, classes: Section) -> Section:
    """Add kinds of errors and worst images to the table of the classes."""
    result = given.result
    assert isinstance(result, DetectionResult)
    errors: Counter[str] = sum((judged.errors for judged in result.judged.values()), Counter())
    values = {
        **classes.values,
        "errors": errors.most_common(),
        "pictures": list(_worst(result, given)),
        "min_score": MIN_SCORE,
    }
    return Section("detection/report.html.j2", values)


def _worst(result: DetectionResult, given: ReportInput) -> Iterator[dict[str, str]]:
    """Draw the images with most errors, the worst first; unreadable ones are left out."""
    reader = given.split.reader(given.info.in_channels)
    ordered = sorted(result.judged.items(), key=lambda item: (-item[1].errors.total(), item[0]))
    for index, judged in ordered[:_MAX_WORST]:
        if not judged.errors:
            return
        try:
            picture = _draw(reader, index, judged)
        except DataError:
            continue
        text = ", ".join(f"{number} {name}" for name, number in judged.errors.most_common())
        name = given.split.name(index).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        yield {"address": data_address(picture, "image/jpeg"), "name": name, "text": text}


def _draw(reader: ImageReader, index: int, judged: Judged) -> bytes:
    """Draw an image with what was found and missed; return a JPEG file."""
    objects: BoxImage = reader.objects(index)
    picture = reader.open(index).convert("RGB")
    scale = min(_SIDE_PX / max(picture.size), 1.0)
    size = (max(round(picture.width * scale), 1), max(round(picture.height * scale), 1))
    picture = picture.resize(size, Image.Resampling.BILINEAR)
    canvas = ImageDraw.Draw(picture)
    for row, kind in zip(judged.found_n6, judged.kinds, strict=True):
        if kind != "crowd":
            color = _HIT if kind == "hit" else _WRONG
            canvas.rectangle([side * scale for side in row[:4]], outline=color, width=2)
    for number in judged.missed:
        box = [side * scale for side in objects.boxes_n4[number]]
        canvas.rectangle(box, outline=_MISSED, width=2)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=85)
    return file.getvalue()
