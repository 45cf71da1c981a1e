"""Images, the boxes around their objects, and what was wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from resnext.data.boxes.polygons import Outline
from resnext.untrusted.text import printable

_MAX_PLACES = 3

SPLITS = ("train", "val", "test")


@dataclass(frozen=True, eq=False)
class BoxImage:
    """An image and its objects. Legend: n objects.

    Attributes:
        path: The file.
        image_id: Its number in the annotations.
        width: In pixels, as recorded or read from the file.
        height: In pixels.
        boxes_n4: Left, top, right and bottom in pixels; 0 is the image's left or upper border.
        labels_n: Number of each object's class.
        crowds_n: The box holds many objects; what is found in it counts neither way.
        areas_n: Of each object in square pixels: of its mask where one is recorded.
        outlines: Of each object, as far as they are recorded; empty where none is.
    """

    path: Path
    image_id: int
    width: int
    height: int
    boxes_n4: npt.NDArray[np.float64]
    labels_n: npt.NDArray[np.int64]
    crowds_n: npt.NDArray[np.bool_]
    areas_n: npt.NDArray[np.float64]
    outlines: tuple[Outline, ...] = ()


@dataclass(frozen=True)
class Finding:
    """One kind of thing that was wrong or is worth knowing.

    Attributes:
        text: What it is, and what was done about it.
        is_wrong: Someone should look at it; else it is a note.
        num: How often.
        places: Where, the first few times.
    """

    text: str
    is_wrong: bool
    num: int
    places: tuple[str, ...]

    def __str__(self) -> str:
        """Return it in one line: how often, what, and the first places."""
        return f"{self.num:,} {self.text} ({', '.join(map(printable, self.places))})"


@dataclass
class Findings:
    """Collects findings while files are read."""

    _found: dict[tuple[str, bool], list[str]] = field(default_factory=dict)
    _counts: dict[tuple[str, bool], int] = field(default_factory=dict)

    def add(self, text: str, place: str, *, is_wrong: bool = True) -> None:
        """Note a finding and its place."""
        key = (text, is_wrong)
        self._counts[key] = self._counts.get(key, 0) + 1
        places = self._found.setdefault(key, [])
        if len(places) < _MAX_PLACES:
            places.append(place)

    def result(self) -> tuple[Finding, ...]:
        """Return all findings, what is wrong first."""
        found = [
            Finding(text, is_wrong, self._counts[text, is_wrong], tuple(places))
            for (text, is_wrong), places in self._found.items()
        ]
        return tuple(sorted(found, key=lambda finding: not finding.is_wrong))


@dataclass(frozen=True)
class BoxSet:
    """A data set of objects.

    Attributes:
        name: What people call it.
        classes: In the order of the labels.
        splits: Images by split: `train`, `val`, `test`, as far as there are any.
        findings: What was wrong, and notes.
    """

    name: str
    classes: tuple[str, ...]
    splits: Mapping[str, tuple[BoxImage, ...]]
    findings: tuple[Finding, ...]
