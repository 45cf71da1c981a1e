"""Boxes as they are written, repaired or left out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from resnext.data.boxes.box_set import BoxImage, Findings
from resnext.data.boxes.polygons import Outline

_ROUNDING_PX = 1.0
"""So far a box may reach over the border by rounding; it is cut without a word."""

Corners = tuple[float, float, float, float]


def clean_box(
    corners: Sequence[float], width: int, height: int, findings: Findings, place: str
) -> Corners | None:
    """Bring a box into its image.

    Args:
        corners: Left, top, right, bottom in pixels.
        width: Of the image.
        height: Of the image.
        findings: Collects what was wrong.
        place: Of the box, for people.

    Returns:
        The box, or None where nothing of it is left.
    """
    if not all(map(math.isfinite, corners)):
        findings.add("boxes that are not numbers, left out", place)
        return None
    left, right = sorted((corners[0], corners[2]))
    top, bottom = sorted((corners[1], corners[3]))
    if (left, top) != (corners[0], corners[1]):
        findings.add("boxes with swapped corners, put in order", place)
    if left == right or top == bottom:
        findings.add("boxes without area, left out", place)
        return None
    cut = (max(left, 0.0), max(top, 0.0), min(right, float(width)), min(bottom, float(height)))
    if cut[0] >= cut[2] or cut[1] >= cut[3]:
        findings.add("boxes outside their image, left out", place)
        return None
    beyond = max(-left, -top, right - width, bottom - height)
    if beyond > _ROUNDING_PX:
        findings.add("boxes that reach out of their image, cut at its border", place)
    return cut


@dataclass
class Objects:
    """Collects the objects of one image."""

    boxes: list[Corners] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    crowds: list[bool] = field(default_factory=list)
    areas: list[float] = field(default_factory=list)
    outlines: list[Outline] = field(default_factory=list)

    def add(
        self,
        box: Corners,
        label: int,
        *,
        is_crowd: bool = False,
        area: float | None = None,
        outline: Outline = (),
    ) -> None:
        """Add an object; without an area it has that of its box."""
        self.boxes.append(box)
        self.labels.append(label)
        self.crowds.append(is_crowd)
        self.areas.append((box[2] - box[0]) * (box[3] - box[1]) if area is None else area)
        self.outlines.append(outline)

    def join(self, other: Objects) -> None:
        """Add the objects of another list of the same image, but for those that are here too."""
        known = set(zip(self.boxes, self.labels, strict=True))
        rows = zip(
            other.boxes, other.labels, other.crowds, other.areas, other.outlines, strict=True
        )
        for box, label, is_crowd, area, outline in rows:
            if (box, label) not in known:
                self.add(box, label, is_crowd=is_crowd, area=area, outline=outline)

    def image(self, path: Path, image_id: int, width: int, height: int) -> BoxImage:
        """Return the image with these objects."""
        return BoxImage(
            path,
            image_id,
            width,
            height,
            np.array(self.boxes, dtype=np.float64).reshape(-1, 4),
            np.array(self.labels, dtype=np.int64),
            np.array(self.crowds, dtype=np.bool_),
            np.array(self.areas, dtype=np.float64),
            tuple(self.outlines) if any(self.outlines) else (),
        )


def note_repeated(objects: Objects, findings: Findings, place: str) -> None:
    """Note objects that are written twice: the same box of the same class."""
    seen = set(zip(objects.boxes, objects.labels, strict=True))
    for _ in range(len(objects.boxes) - len(seen)):
        findings.add("boxes that are there twice, kept", place)
