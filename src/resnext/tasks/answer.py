"""What a network says of one image, in every form in which it is shown. Needs no torch."""

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
    """What a network says of one image.

    Attributes:
        csv_columns: Columns of `csv_rows`.
        table_columns: Headings of `table_cells`.
        schema: Describes `as_dict`.
        has_mask: It says something of every pixel; see `to_image`.
    """

    csv_columns: ClassVar[tuple[str, ...]]
    table_columns: ClassVar[tuple[str, ...]]
    schema: ClassVar[type[BaseModel]]
    has_mask: ClassVar[bool] = False

    @classmethod
    @abstractmethod
    def read(
        cls, outputs: npt.NDArray[Any], names: Sequence[str], card: ModelCard, top: int
    ) -> Self:
        """Read what the network computed for one image.

        Args:
            outputs: One row of its outputs, of any type of float.
            names: Readable names of the outputs.
            card: What else is known of the network.
            top: Classes to name, where they are ranked.
        """

    @classmethod
    @abstractmethod
    def nothing(cls) -> dict[str, Any]:
        """Return what `as_dict` would be for an image that could not be read."""

    @abstractmethod
    def as_dict(self) -> dict[str, Any]:
        """Return the answer as JSON values."""

    @abstractmethod
    def csv_rows(self) -> list[tuple[object, ...]]:
        """Return the answer as rows of a table for other programs."""

    @abstractmethod
    def table_cells(self) -> tuple[str, ...]:
        """Return the answer as one row of a table for people."""

    def draw(self, image: Image.Image) -> Image.Image:
        """Return a picture that shows the image and the answer; by default with its words below.

        Args:
            image: As it was decoded, the right way up.
        """
        return write_below(image, " ".join(filter(None, self.table_cells())))

    def to_image(self) -> Image.Image:
        """Return the answer as an image of class numbers, where it has one for every pixel."""
        raise NotImplementedError(f"{type(self).__name__} has no mask")

    @property
    def ranked(self) -> tuple[ClassScore, ...]:
        """Classes or labels by their probability, the highest first; empty where there are none."""
        return ()
