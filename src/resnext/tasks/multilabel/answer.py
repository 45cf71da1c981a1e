"""The answer with any number of labels. Legend: k labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, Field

from resnext.model.card import ModelCard
from resnext.tasks.answer import Answer, ClassScore

_DEFAULT_THRESHOLD = 0.5


class _Label(BaseModel):
    """One label that applies."""

    label: str = Field(description="Readable name of the label.")
    probability: float = Field(ge=0, le=1)


class LabelsSchema(BaseModel):
    """The labels that apply to one image."""

    labels: list[_Label] = Field(description="Those above their thresholds, most probable first.")
    probabilities: dict[str, float] = Field(description="Of the most probable labels, at most top.")


@dataclass(frozen=True)
class LabelAnswer(Answer):
    """The labels that apply to one image.

    Attributes:
        given: Those whose probability reaches their threshold, the most probable first.
        scores: The most probable labels, whether they apply or not.
    """

    csv_columns = ("rank", "label", "probability", "applies")
    table_columns = ("labels", "probability", "most probable others")
    schema = LabelsSchema

    given: tuple[ClassScore, ...]
    scores: tuple[ClassScore, ...]

    @classmethod
    def read(
        cls, outputs: npt.NDArray[Any], names: Sequence[str], card: ModelCard, top: int
    ) -> Self:
        """Compare the probability of each label with the threshold of the card, or 0.5."""
        with np.errstate(over="ignore"):
            probs_k = 1.0 / (1.0 + np.exp(-outputs.astype(np.float64)))
        thresholds_k = np.array(card.thresholds or [_DEFAULT_THRESHOLD] * len(names))
        ranked = [
            ClassScore(int(label), names[label], float(probs_k[label]))
            for label in np.argsort(-probs_k, kind="stable")
        ]
        given = (score for score in ranked if score.probability >= thresholds_k[score.label])
        return cls(tuple(given), tuple(ranked[:top]))

    @classmethod
    def nothing(cls) -> dict[str, Any]:
        """Return no labels."""
        return {"labels": [], "probabilities": {}}

    def as_dict(self) -> dict[str, Any]:
        """Return the labels that apply, and the probabilities of the most probable ones."""
        return {
            "labels": [
                {"label": score.name, "probability": score.probability} for score in self.given
            ],
            "probabilities": {score.name: score.probability for score in self.scores},
        }

    def csv_rows(self) -> list[tuple[object, ...]]:
        """Return one row per label that applies or is among the most probable."""
        others = [score for score in self.scores if score not in self.given]
        rows = [(score, "yes") for score in self.given] + [(score, "no") for score in others]
        return [
            (rank, score.name, score.probability, applies)
            for rank, (score, applies) in enumerate(rows, 1)
        ]

    def table_cells(self) -> tuple[str, ...]:
        """Return the labels that apply, their probabilities, and the most probable others."""
        others = [score for score in self.scores if score not in self.given]
        return (
            ", ".join(score.name for score in self.given) or "none",
            ", ".join(f"{100 * score.probability:.1f} %" for score in self.given),
            ", ".join(f"{score.name} {100 * score.probability:.1f} %" for score in others),
        )

    @property
    def ranked(self) -> tuple[ClassScore, ...]:
        """The most probable labels."""
        return self.scores
