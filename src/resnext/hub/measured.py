"""The errors that were measured, and on what, as far as a run or a card tells."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from resnext.evaluation.run import EVALUATION
from resnext.hub.published import Published
from resnext.runs.folder import read_if_whole

_LOG = logging.getLogger(__name__)
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
    if published.run is None:
        return None
    file = published.run / EVALUATION
    figures: dict[str, Any] | None = read_if_whole(file, dict)
    if figures is None:
        return None
    try:
        return _measured(figures, published.card.metrics.get("top1_error"))
    except (LookupError, TypeError, ValueError):
        _LOG.warning("%s does not hold what `resnext evaluate` writes; it is left out", file)
        return None


def _measured(figures: dict[str, Any], trained: float | None) -> Measured | None:
    """Take the figures from an evaluation; None if it was one of other weights."""
    if trained is not None and abs(trained - figures["top1_error"]) > _CLOSE:
        return None
    top5_error = figures["top5_error"]
    return Measured(
        float(figures["top1_error"]),
        None if top5_error is None else float(top5_error),
        str(figures["data"]["name"]),
        str(figures["data"]["split"]),
        int(figures["num_images"]),
        f"by `resnext evaluate`, {_view(figures['view'])}",
    )


def _view(view: dict[str, Any]) -> str:
    crops = "ten crops" if view["ten_crop"] else "crop and mirror" if view["flip"] else "one crop"
    resized = f" after a resize to {view['resize_px']}" if view["resize_px"] else ""
    return f"{crops} of {view['size_px']} px{resized}"
