"""The answer of a network for one image, in all output forms. Needs no torch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy.typing as npt
from PIL import Image
from pydantic import BaseModel

from resnext.model.card import ModelCard
from resnext.tasks.captions import write_below


@dataclass(frozen=True)
class ClassScore:
    """A class or a label and its probability.

    Attributes:
        label: Number of the output.
        name: Readable name.
        probability: 0..1.
    """

    label: int
    name: str
    probability: float


class Answer(ABC):
    """The answer of a network for one image.

    Attributes:
        csv_columns: Columns of `csv_rows`.
        table_columns: Headings of `table_cells`.
        schema: Describes `as_dict`.
        has_mask: Whether it has a class for every pixel; see `to_image`.
        mask_forms: The forms in which the service writes its masks, the default first.
        usual_top: Default of the number of classes or objects.
    """

    csv_columns: ClassVar[tuple[str, ...]]
    table_columns: ClassVar[tuple[str, ...]]
    schema: ClassVar[type[BaseModel]]
    has_mask: ClassVar[bool] = False
    mask_forms: ClassVar[tuple[str, ...]] = ()
    usual_top: ClassVar[int] = 5

    @classmethod
    @abstractmethod
    def read(
        cls, outputs: npt.NDArray[Any], names: Sequence[str], card: ModelCard, top: int
    ) -> Self:
        """Create the answer from the network's outputs for one image.

        Args:
            outputs: One row of its outputs, of any type of float.
            names: Readable names of the outputs.
            card: The card of the network.
            top: Number of classes to return, if they are ranked.
        """

    @classmethod
    @abstractmethod
    def nothing(cls) -> dict[str, Any]:
        """Return the value of `as_dict` for an unreadable image."""

    @abstractmethod
    def as_dict(self) -> dict[str, Any]:
        """Return the answer as JSON values."""

    @abstractmethod
    def csv_rows(self) -> list[tuple[object, ...]]:
        """Return the answer as rows of a CSV file."""

    @abstractmethod
    def table_cells(self) -> tuple[str, ...]:
        """Return the answer as one row of a displayed table."""

    def limited(self, top: int, min_score: float | None = None) -> Self:
        """Return the answer with fewer objects, if it has any.

        Args:
            top: Maximum number of objects, those with the highest scores.
            min_score: Objects with lower scores are left out; None is the usual limit.
        """
        del top, min_score
        return self

    def in_image(self, height: int, width: int) -> Self:
        """Return the answer for an image of this size in pixels, which masks of objects need."""
        del height, width
        return self

    @property
    def num_runs(self) -> int:
        """Runs of pixels in its run lengths; the JSON grows with them."""
        return 0

    def draw(self, image: Image.Image) -> Image.Image:
        """Return a picture of the image with the answer; by default as text below it.

        Args:
            image: The decoded, upright image.
        """
        return write_below(image, " ".join(filter(None, self.table_cells())))

    def to_image(self) -> Image.Image:
        """Return the answer as an image of class numbers, if it has one for every pixel."""
        raise NotImplementedError(f"{type(self).__name__} has no mask")

    @property
    def ranked(self) -> tuple[ClassScore, ...]:
        """Classes or labels by probability, highest first; empty if there are none."""
        return ()
