"""The measured errors of a network and their data, as far as a run or a card records them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from resnext.evaluation.run import EVALUATION
from resnext.hub.published import Published
from resnext.model.signal import noun_of
from resnext.runs.folder import read_if_whole
from resnext.tasks.kinds import task_kind
from resnext.tasks.measure import Measure

_LOG = logging.getLogger(__name__)
_CLOSE = 0.5
"""Largest difference in percentage points between training and an evaluation of the same weights,
from rounding in lower precision. A larger one means that the evaluation is of earlier weights."""


@dataclass(frozen=True)
class Measured:
    """One measurement.

    Attributes:
        measure: The measure.
        value: Its value.
        top5_error: In percent; None for other tasks, few classes, or if unknown.
        data: The data set.
        split: Its split; empty if unknown.
        num_images: Number of images; 0 if unknown.
        how: Who measured it and how, as a phrase.
    """

    measure: Measure
    value: float
    top5_error: float | None
    data: str
    split: str
    num_images: int
    how: str


def measured_errors(published: Published) -> list[Measured]:
    """Return the known measurements, best source first."""
    metrics, data = published.card.metrics, published.card.data or "an unnamed data set"
    evaluation = _evaluation(published)
    if evaluation is not None:
        return [evaluation]
    found, measure = [], _measure_of(published)
    if measure.key in metrics:
        top5 = metrics.get("top5_error")
        split = "val" if published.run is not None else ""
        how = f"during training, {_whole(published) or 'one crop of each image'}"
        found.append(Measured(measure, metrics[measure.key], top5, data, split, 0, how))
    published_key = "published_box_ap" if measure.key == "ap" else "published_top1_error"
    if published_key in metrics:
        how = f"by the publisher of {published.card.source}; not measured again"
        found.append(Measured(measure, metrics[published_key], None, data, "", 0, how))
    return found


def _evaluation(published: Published) -> Measured | None:
    """Read the evaluation of a run, unless it is of other weights."""
    if published.run is None:
        return None
    file = published.run / EVALUATION
    figures: dict[str, Any] | None = read_if_whole(file, dict)
    if figures is None:
        return None
    try:
        measure = _measure_of(published)
        trained = published.card.metrics.get(measure.key)
        how = _whole(published) or _view(figures["view"])
        return _measured(figures, measure, trained, how)
    except (LookupError, TypeError, ValueError):
        _LOG.warning("%s was not written by `resnext evaluate`; it is ignored", file)
        return None


def _whole(published: Published) -> str:
    """Say that images or signals are evaluated whole; empty where crops are."""
    kind = task_kind(published.card.task)
    is_whole = published.card.signal is not None or kind.is_dense or kind.finds_objects
    return f"whole {noun_of(published.card.signal)}" if is_whole else ""


def _measure_of(published: Published) -> Measure:
    return task_kind(published.card.task).measure


def _measured(
    figures: dict[str, Any], measure: Measure, trained: float | None, how: str
) -> Measured | None:
    """Return the figures of an evaluation; None if it is of other weights."""
    if trained is not None and abs(trained - figures[measure.key]) > _CLOSE:
        return None
    top5_error = figures.get("top5_error")
    return Measured(
        measure,
        float(figures[measure.key]),
        None if top5_error is None else float(top5_error),
        str(figures["data"]["name"]),
        str(figures["data"]["split"]),
        int(figures["num_images"]),
        f"by `resnext evaluate`, {how}",
    )


def _view(view: dict[str, Any]) -> str:
    crops = "ten crops" if view["ten_crop"] else "crop and mirror" if view["flip"] else "one crop"
    resized = f" after a resize to {view['resize_px']}" if view["resize_px"] else ""
    return f"{crops} of {view['size_px']} px{resized}"
