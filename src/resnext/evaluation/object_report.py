"""The report of an evaluation of boxes: figures, kinds of errors, the images with most errors."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from PIL import Image, ImageDraw

from resnext._version import __version__
from resnext.data.boxes.box_set import BoxImage
from resnext.data.decode.image import Photo, read_file
from resnext.drawing import data_address
from resnext.errors import DataError, RunError
from resnext.files import write_whole
from resnext.tasks.detection.average_precision import BoxFigures
from resnext.tasks.detection.errors import Judged
from resnext.untrusted.text import printable

_MAX_WORST = 12
_SIDE_PX = 480
_HIT, _MISSED, _WRONG = "#00b050", "#1f77ff", "#ff2a2a"
_CARDS = {"ap": "AP", "ap50": "AP50", "ap75": "AP75", "ar100": "recall of 100 objects"}


@dataclass(frozen=True)
class ObjectReport:
    """What a report shows.

    Attributes:
        title: Its heading.
        data: Name of the data.
        split: Of the data.
        figures: What was measured.
        images: The images that were measured.
        judged: What was found in each of them.
        min_score: Objects of lower scores were not judged.
    """

    title: str
    data: str
    split: str
    figures: BoxFigures
    images: Sequence[BoxImage]
    judged: Sequence[Judged]
    min_score: float


def write_object_report(path: Path, report: ObjectReport) -> None:
    """Write a report, one HTML file that needs no other.

    Raises:
        RunError: The file cannot be written.
    """
    try:
        write_whole(path, render_object_report(report), is_shared=True)
    except OSError as error:
        raise RunError(
            f"cannot write the report {path}: {error.strerror}; name another file with --report"
        ) from None


def render_object_report(report: ObjectReport) -> str:
    """Return the report as text."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("resnext", part) for part in ("evaluation", "tasks")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    figures = report.figures
    errors: Counter[str] = sum((judged.errors for judged in report.judged), Counter())
    return environment.get_template("object_report.html.j2").render(
        title=printable(report.title),
        data=printable(report.data),
        split=report.split,
        version=__version__,
        figures=figures,
        cards=[(name, written(figures.figures[key])) for key, name in _CARDS.items()],
        classes=[
            (printable(name), written(ap), written(figures.ap50_by_class[name]))
            for name, ap in figures.ap_by_class.items()
        ],
        errors=errors.most_common(),
        worst=_worst(report),
        min_score=report.min_score,
    )


def written(percent: float | None) -> str:
    """Write a figure in percent; empty where there is nothing to measure."""
    return "" if percent is None else f"{percent:.1f} %"


def _worst(report: ObjectReport) -> list[dict[str, str]]:
    """Draw the images with most errors, the worst first."""
    pairs = sorted(
        zip(report.images, report.judged, strict=True), key=lambda pair: -pair[1].errors.total()
    )
    pictures = []
    for image, judged in pairs[:_MAX_WORST]:
        if not judged.errors:
            break
        try:
            address = data_address(_draw(image, judged), "image/jpeg")
        except DataError:
            continue
        text = ", ".join(f"{number} {name}" for name, number in judged.errors.most_common())
        pictures.append({"address": address, "name": printable(image.path.name), "text": text})
    return pictures


def _draw(image: BoxImage, judged: Judged) -> bytes:
    """Draw an image with what was found and missed; return a JPEG file."""
    picture = Photo(read_file(image.path)).load().convert("RGB")
    scale = min(_SIDE_PX / max(picture.size), 1.0)
    size = (max(round(picture.width * scale), 1), max(round(picture.height * scale), 1))
    picture = picture.resize(size, Image.Resampling.BILINEAR)
    canvas = ImageDraw.Draw(picture)
    for row, kind in zip(judged.found_n6, judged.kinds, strict=True):
        if kind != "crowd":
            color = _HIT if kind == "hit" else _WRONG
            canvas.rectangle([side * scale for side in row[:4]], outline=color, width=2)
    for number in judged.missed:
        box = [side * scale for side in image.boxes_n4[number]]
        canvas.rectangle(box, outline=_MISSED, width=2)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=85)
    return file.getvalue()
