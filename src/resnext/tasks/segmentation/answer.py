"""The answer with a class for every pixel. Legend: k classes, h x w pixels. Needs no torch."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from resnext.model.card import ModelCard
from resnext.tasks.answer import Answer
from resnext.tasks.segmentation.colors import overlay, to_palette_image
from resnext.tasks.segmentation.run_lengths import RunLengths, run_lengths

_NUM_IN_TABLE = 5

Mask = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]


class _Area(BaseModel):
    """A class that occurs in an image."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    name: str = Field(alias="class", description="Readable name of the class.")
    value: int = Field(ge=0, description="Its number in the mask.")
    share: float = Field(gt=0, le=1, description="Share of the pixels of the image.")


class _Runs(BaseModel):
    """The pixels of one class."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    name: str = Field(alias="class", description="Readable name of the class.")
    value: int = Field(ge=0, description="Its number.")
    segmentation: RunLengths


class _MaskImage(BaseModel):
    """The class of every pixel."""

    width: int = Field(description="In pixels, as the image.")
    height: int = Field(description="In pixels, as the image.")
    png: str | None = Field(
        default=None, description="PNG in base64 whose pixels are numbers of classes."
    )
    runs: list[_Runs] | None = Field(
        default=None, description="With ?masks=rle, instead of the PNG: the pixels of each class."
    )


class MaskSchema(BaseModel):
    """The classes of the pixels of one image."""

    areas: list[_Area] = Field(description="Classes that occur, the largest first.")
    mask: _MaskImage | None = Field(description="null if the image could not be read.")


@dataclass(frozen=True, eq=False)
class MaskAnswer(Answer):
    """The class of every pixel of one image.

    Attributes:
        mask_hw: Class numbers, uint8, or uint16 with more than 256 classes.
        classes: Their readable names.
    """

    csv_columns = ("class", "value", "share")
    table_columns = ("largest class", "share", "next")
    schema = MaskSchema
    has_mask = True
    mask_forms = ("png", "rle")

    mask_hw: Mask
    classes: tuple[str, ...]

    @classmethod
    def read(
        cls, outputs: npt.NDArray[Any], names: Sequence[str], card: ModelCard, top: int
    ) -> Self:
        """Select the class with the highest score at each pixel; outputs are k x h x w."""
        del card, top
        kind = np.uint8 if len(names) <= 256 else np.uint16
        return cls(outputs.argmax(axis=0).astype(kind), tuple(names))

    @classmethod
    def nothing(cls) -> dict[str, Any]:
        """Return no areas and no mask."""
        return {"areas": [], "mask": None}

    @cached_property
    def shares_k(self) -> npt.NDArray[np.float64]:
        """Share of the pixels that each class has, 0..1."""
        counts_k = np.bincount(self.mask_hw.ravel(), minlength=len(self.classes))
        shares_k: npt.NDArray[np.float64] = counts_k / max(self.mask_hw.size, 1)
        return shares_k

    @property
    def areas(self) -> list[tuple[str, int, float]]:
        """Name, number and share of each class that occurs, the largest first."""
        order = np.argsort(-self.shares_k, kind="stable")
        found = ((self.classes[k], int(k), float(self.shares_k[k])) for k in order)
        return [area for area in found if area[2] > 0]

    def to_image(self) -> Image.Image:
        """Return the mask as an image with a palette, whose pixels are numbers of classes."""
        return to_palette_image(self.mask_hw, self.classes)

    def png_bytes(self) -> bytes:
        """Return the mask as a PNG file; see `to_image`."""
        file = io.BytesIO()
        self.to_image().save(file, "PNG")
        return file.getvalue()

    def run_lengths(self) -> list[dict[str, Any]]:
        """Return a COCO segmentation for each class that occurs, the largest first."""
        return [
            {"class": name, "value": value, "segmentation": run_lengths(self.mask_hw == value)}
            for name, value, _ in self.areas
        ]

    def draw(self, image: Image.Image) -> Image.Image:
        """Overlay the classes on the image in colours."""
        return overlay(image, self.mask_hw, self.classes)

    def as_dict(self) -> dict[str, Any]:
        """Return the classes that occur, and the mask as a PNG in base64."""
        return self._with_mask("png", base64.b64encode(self.png_bytes()).decode())

    def as_runs(self) -> dict[str, Any]:
        """Return the classes that occur, and the run lengths of each."""
        return self._with_mask("runs", self.run_lengths())

    @property
    def num_runs(self) -> int:
        """Runs of pixels of one class, column by column; the lists of `as_runs` grow with them."""
        pixels = self.mask_hw.ravel(order="F")
        return int(np.count_nonzero(pixels[1:] != pixels[:-1])) + 1

    def _with_mask(self, form: str, mask: object) -> dict[str, Any]:
        height, width = self.mask_hw.shape
        return {
            "areas": [
                {"class": name, "value": value, "share": share} for name, value, share in self.areas
            ],
            "mask": {"width": width, "height": height, form: mask},
        }

    def csv_rows(self) -> list[tuple[object, ...]]:
        """Return a row for each class that occurs."""
        return list(self.areas)

    def table_cells(self) -> tuple[str, ...]:
        """Return the class with most pixels, its share and the classes after it."""
        cells = [(name, f"{100 * share:.1f} %") for name, _, share in self.areas]
        (name, share), *others = cells[:_NUM_IN_TABLE]
        return name, share, ", ".join(f"{other} {part}" for other, part in others)
