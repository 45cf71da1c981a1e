"""A classifier's answer: the most probable classes. Legend: k classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from resnext.model.card import ModelCard
from resnext.tasks.answer import Answer, ClassScore


class _Class(BaseModel):
    """One class of an image."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    name: str = Field(alias="class", description="Readable name of the class.")
    probability: float = Field(ge=0, le=1)


class ClassesSchema(BaseModel):
    """The predicted classes of one image."""

    predictions: list[_Class] = Field(description="Most probable first.")


@dataclass(frozen=True)
class ClassAnswer(Answer):
    """The most probable classes of one image.

    Attributes:
        scores: Best first.
    """

    csv_columns = ("rank", "class", "probability")
    table_columns = ("class", "probability", "next")
    schema = ClassesSchema

    scores: tuple[ClassScore, ...]

    @classmethod
    def read(
        cls, outputs: npt.NDArray[Any], names: Sequence[str], card: ModelCard, top: int
    ) -> Self:
        """Select the most probable classes."""
        del card
        return cls(tuple(name_best(outputs, names, top)))

    @classmethod
    def nothing(cls) -> dict[str, Any]:
        """Return no predictions."""
        return {"predictions": []}

    def as_dict(self) -> dict[str, Any]:
        """Return the classes as JSON values."""
        return {
            "predictions": [
                {"class": score.name, "probability": score.probability} for score in self.scores
            ]
        }

    def csv_rows(self) -> list[tuple[object, ...]]:
        """Return a row for each class."""
        return [(rank, score.name, score.probability) for rank, score in enumerate(self.scores, 1)]

    def table_cells(self) -> tuple[str, ...]:
        """Return the best class, its probability and the classes after it."""
        shares = [f"{100 * score.probability:.1f} %" for score in self.scores]
        pairs = zip(self.scores[1:], shares[1:], strict=True)
        return (
            self.scores[0].name,
            shares[0],
            ", ".join(f"{score.name} {share}" for score, share in pairs),
        )

    @property
    def ranked(self) -> tuple[ClassScore, ...]:
        """The classes."""
        return self.scores


def name_best(logits_k: npt.NDArray[Any], classes: Sequence[str], num: int) -> list[ClassScore]:
    """Return the most probable classes of one image, best first; on ties the first one.

    Args:
        logits_k: Logits of the image, of any float type.
        classes: A name for each.
        num: Number of classes to return, at most all.
    """
    wide_k = logits_k.astype(np.float64)
    powers_k = np.exp(wide_k - wide_k.max())
    shares_k = powers_k / powers_k.sum()
    best = np.argsort(-shares_k, kind="stable")[:num]
    return [ClassScore(int(label), classes[label], float(shares_k[label])) for label in best]
