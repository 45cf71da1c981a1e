"""The answer where a network finds objects. Needs no torch. Legend: n objects, s mask positions."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from resnext.model.card import ModelCard
from resnext.model.detector_config import NUM_COLUMNS
from resnext.tasks.answer import Answer
from resnext.tasks.detection.drawing import draw_objects
from resnext.tasks.detection.masks import Box, ObjectMask, fit_mask, limit_box
from resnext.tasks.segmentation.run_lengths import RunLengths

MIN_SCORE = 0.5
"""Objects that a person is shown, unless another score is asked for."""

_DIGITS_SCORE, _DIGITS_PX = 6, 3


class _Object(BaseModel):
    """An object."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    name: str = Field(alias="class", description="Readable name of its class.")
    label: int = Field(ge=0, description="Number of its class.")
    score: float = Field(ge=0, le=1, description="How sure the network is.")
    box: tuple[float, float, float, float] = Field(
        description="Left, top, right and bottom in pixels of the image."
    )
    segmentation: RunLengths | None = Field(
        default=None, description="Its pixels, of a network that finds masks."
    )


class BoxSchema(BaseModel):
    """The objects that a network finds in one image."""

    objects: list[_Object] = Field(description="The surest first.")


@dataclass(frozen=True)
class FoundObject:
    """An object.

    Attributes:
        label: Number of its class.
        name: Readable name of it.
        score: How sure the network is, 0..1.
        box: Left, top, right and bottom in pixels of the image.
        soft_ss: Its mask as the network found it, within the box; see `mask`.
        sides: Height and width of the image, where there is such a mask.
        given_mask: Its mask, where the network has fitted it to the image already.
    """

    label: int
    name: str
    score: float
    box: Box
    soft_ss: npt.NDArray[np.float32] | None = field(default=None, repr=False, compare=False)
    sides: tuple[int, int] | None = field(default=None, repr=False, compare=False)
    given_mask: ObjectMask | None = field(default=None, repr=False, compare=False)

    @cached_property
    def mask(self) -> ObjectMask | None:
        """Its pixels; None of a network without masks."""
        if self.soft_ss is None or self.sides is None:
            return self.given_mask
        return fit_mask(self.soft_ss, self.box, *self.sides)

    @cached_property
    def segmentation(self) -> dict[str, list[int]] | None:
        """COCO's run lengths of its pixels; None of a network without masks."""
        return None if self.mask is None else self.mask.run_lengths()

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        found: dict[str, Any] = {
            "class": self.name,
            "label": self.label,
            "score": round(self.score, _DIGITS_SCORE),
            "box": [round(side, _DIGITS_PX) for side in self.box],
        }
        return found if self.mask is None else found | {"segmentation": self.segmentation}


@dataclass(frozen=True)
class BoxAnswer(Answer):
    """The objects in one image, the surest first."""

    csv_columns = ("class", "score", "left", "top", "right", "bottom")
    table_columns = ("objects", "the surest")
    schema = BoxSchema
    mask_forms = ("rle",)
    usual_top = 100

    objects: tuple[FoundObject, ...]
    classes: tuple[str, ...]

    @classmethod
    def read(
        cls, outputs: npt.NDArray[Any], names: Sequence[str], card: ModelCard, top: int
    ) -> Self:
        """Read n rows of numbers: left, top, right, bottom, score, number of the class, and mask.

        Rows with a score of 0 are unused. Those of an edited file may hold any numbers: rows that
        are not finite are left out, and scores and classes are limited to those there are.
        """
        del card
        used = outputs[(outputs[:, 4] > 0) & np.isfinite(outputs).all(axis=1)]
        order = np.argsort(-used[:, 4], kind="stable")[:top]
        side = math.isqrt(used.shape[1] - NUM_COLUMNS)
        found = []
        for row in used[order]:
            left, upper, right, lower, score, label = row[:NUM_COLUMNS].tolist()
            soft_ss = row[NUM_COLUMNS:].reshape(side, side) if side else None
            number = min(max(int(label), 0), len(names) - 1)
            box = (left, upper, right, lower)
            found.append(FoundObject(number, names[number], min(score, 1.0), box, soft_ss))
        return cls(tuple(found), tuple(names))

    @classmethod
    def nothing(cls) -> dict[str, Any]:
        """Return no objects."""
        return {"objects": []}

    def limited(self, top: int, min_score: float | None = None) -> Self:
        """Return the answer with fewer objects; see `Answer.limited`."""
        least = MIN_SCORE if min_score is None else min_score
        return replace(self, objects=tuple(o for o in self.objects if o.score >= least)[:top])

    def in_image(self, height: int, width: int) -> Self:
        """Return the answer for an image of this size in pixels, to which boxes are limited."""
        fitted = [
            replace(one, sides=(height, width), box=limit_box(one.box, height, width))
            for one in self.objects
        ]
        return replace(self, objects=tuple(fitted))

    def with_masks(self, masks: Sequence[ObjectMask]) -> Self:
        """Return the answer with a mask for each object."""
        pairs = zip(self.objects, masks, strict=True)
        return replace(self, objects=tuple(replace(one, given_mask=mask) for one, mask in pairs))

    @property
    def num_runs(self) -> int:
        """Runs of pixels in its run lengths; the JSON grows with them."""
        return sum(len(o.segmentation["counts"]) for o in self.objects if o.segmentation)

    def as_dict(self) -> dict[str, Any]:
        """Return the objects as JSON values."""
        return {"objects": [found.as_dict() for found in self.objects]}

    def csv_rows(self) -> list[tuple[object, ...]]:
        """Return a row for each object; an image without any has an empty one."""
        rows: list[tuple[object, ...]] = [
            (
                found.name,
                round(found.score, _DIGITS_SCORE),
                *(round(side, _DIGITS_PX) for side in found.box),
            )
            for found in self.objects
        ]
        return rows or [("",) * len(self.csv_columns)]

    def table_cells(self) -> tuple[str, ...]:
        """Return how many objects of each class there are, and the surest one."""
        counts = Counter(found.name for found in self.objects).most_common()
        if not self.objects:
            return "none", ""
        first = self.objects[0]
        text = ", ".join(f"{number} {name}" for name, number in counts)
        return text, f"{first.name} {100 * first.score:.1f} %"

    def draw(self, image: Image.Image) -> Image.Image:
        """Draw masks, and boxes with class and score, the surest on top."""
        return draw_objects(image, self.objects, self.classes)
