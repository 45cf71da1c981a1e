"""The answer where a network finds objects. Needs no torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont
from pydantic import BaseModel, ConfigDict, Field

from resnext.model.card import ModelCard
from resnext.tasks.answer import Answer
from resnext.tasks.segmentation.colors import class_colors
from resnext.untrusted.text import printable

_DIGITS_SCORE, _DIGITS_PX = 6, 3
_TEXT_PX = 12


class _Object(BaseModel):
    """An object."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    name: str = Field(alias="class", description="Readable name of its class.")
    label: int = Field(ge=0, description="Number of its class.")
    score: float = Field(ge=0, le=1, description="How sure the network is.")
    box: tuple[float, float, float, float] = Field(
        description="Left, top, right and bottom in pixels of the image."
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
    """

    label: int
    name: str
    score: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class BoxAnswer(Answer):
    """The objects in one image, the surest first."""

    csv_columns = ("class", "score", "left", "top", "right", "bottom")
    table_columns = ("objects", "the surest")
    schema = BoxSchema

    objects: tuple[FoundObject, ...]
    classes: tuple[str, ...]

    @classmethod
    def read(
        cls, outputs: npt.NDArray[Any], names: Sequence[str], card: ModelCard, top: int
    ) -> Self:
        """Read n x 6 numbers: left, top, right, bottom, score and number of the class."""
        del card
        rows = sorted(outputs.tolist(), key=lambda row: -row[4])[:top]
        found = tuple(
            FoundObject(int(label), names[int(label)], score, (left, upper, right, lower))
            for left, upper, right, lower, score, label in rows
        )
        return cls(found, tuple(names))

    @classmethod
    def nothing(cls) -> dict[str, Any]:
        """Return no objects."""
        return {"objects": []}

    def as_dict(self) -> dict[str, Any]:
        """Return the objects as JSON values."""
        return {
            "objects": [
                {
                    "class": found.name,
                    "label": found.label,
                    "score": round(found.score, _DIGITS_SCORE),
                    "box": [round(side, _DIGITS_PX) for side in found.box],
                }
                for found in self.objects
            ]
        }

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
        """Draw the boxes with class and score, the surest on top."""
        picture = image.convert("RGB")
        canvas = ImageDraw.Draw(picture)
        colors = class_colors(self.classes)
        line_px = max(2, min(picture.size) // 200)
        font = ImageFont.load_default(max(_TEXT_PX, min(picture.size) // 40))
        for found in reversed(self.objects):
            color = tuple(map(int, colors[found.label]))
            canvas.rectangle(found.box, outline=color, width=line_px)
            text = f"{printable(found.name)} {100 * found.score:.0f}"
            place = (found.box[0] + line_px, max(found.box[1] - line_px, 0))
            back = canvas.textbbox(place, text, font=font)
            canvas.rectangle(back, fill=color)
            canvas.text(place, text, fill="white" if sum(color) < 384 else "black", font=font)
        return picture
