"""The errors that were measured, and on what, as far as a run or a card tells."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from resnext.evaluation.run import EVALUATION
from resnext.hub.published import Published

_CLOSE = 0.5
"""Percent points between the figure of training and that of an evaluation of the same weights:
rounding in lower precision. Further apart, the evaluation is one of earlier weights."""


@dataclass(frozen=True)
class Measured:
    """One measurement.

    Attributes:
        top1_error: In percent.
        top5_error: In percent; None with few classes, or if unknown.
        data: The data set.
        split: Its split; empty if unknown.
        num_images: How many images; 0 if unknown.
        how: By whom and how it was measured, as words for a sentence.
    """

    top1_error: float
    top5_error: float | None
    data: str
    split: str
    num_images: int
    how: str


def measured_errors(published: Published) -> list[Measured]:
    """Return what is known, best source first; empty if nothing is."""
    metrics, data = published.card.metrics, published.card.data or "an unnamed data set"
    evaluation = _evaluation(published)
    if evaluation is not None:
        return [evaluation]
    found = []
    if "top1_error" in metrics:
        top5 = metrics.get("top5_error")
        split = "val" if published.run is not None else ""
        how = "during training, one crop of each image"
        found.append(Measured(metrics["top1_error"], top5, data, split, 0, how))
    if "published_top1_error" in metrics:
        how = f"by the publisher of {published.card.source}; not measured again"
        found.append(Measured(metrics["published_top1_error"], None, data, "", 0, how))
    return found


def _evaluation(published: Published) -> Measured | None:
    """Read the evaluation beside a run, unless it was one of other weights."""
    if published.run is None or not (published.run / EVALUATION).exists():
        return None
    figures: dict[str, Any] = json.loads((published.run / EVALUATION).read_text(encoding="utf-8"))
    trained = published.card.metrics.get("top1_error")
    if trained is not None and abs(trained - figures["top1_error"]) > _CLOSE:
        return None
    return Measured(
        figures["top1_error"],
        figures["top5_error"],
        figures["data"]["name"],
        figures["data"]["split"],
        figures["num_images"],
        f"by `resnext evaluate`, {_view(figures['view'])}",
    )


def _view(view: dict[str, Any]) -> str:
    crops = "ten crops" if view["ten_crop"] else "crop and mirror" if view["flip"] else "one crop"
    resized = f" after a resize to {view['resize_px']}" if view["resize_px"] else ""
    return f"{crops} of {view['size_px']} px{resized}"
