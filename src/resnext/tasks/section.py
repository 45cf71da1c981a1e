"""A task's part of a report, and the one that suits any task: a table of its classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from resnext.data.split import DataInfo, Split
from resnext.tasks.measure import Measure

MAX_NAMED_CLASSES = 20
"""With more classes than these only the worst ones are shown at once."""

MAX_LISTED_CLASSES = 2_000
"""With more classes a page lists the worst only; `evaluation.json` has them all."""


@dataclass(frozen=True)
class Section:
    """A part of a report.

    Attributes:
        template: Name of the template below `tasks/`.
        values: What it shows.
    """

    template: str
    values: dict[str, Any]


@dataclass(frozen=True)
class Softening:
    """What made the targets of training softer than 0 and 1.

    Attributes:
        label_smoothing: Share of a label spread over all classes.
        mixing: Alpha of each kind of mixing, such as mixup; 0 is off.
    """

    label_smoothing: float = 0.0
    mixing: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ReportInput:
    """What a task's part of a report is made from.

    Attributes:
        result: What the evaluation found, of the task's own type.
        figures: The same as JSON values.
        split: The images.
        info: Their classes and channels.
        softening: What made the targets of training softer, as far as that is known.
    """

    result: Any
    figures: Mapping[str, Any]
    split: Split
    info: DataInfo
    softening: Softening


def class_section(
    figures: Mapping[str, Any], columns: Sequence[Measure], worst_key: str
) -> Section:
    """Return a table of the classes, the worst first.

    Args:
        figures: Those of an evaluation; `per_class` holds those of each class.
        columns: What is shown of a class.
        worst_key: The figure by which the worst classes are found, the lowest first.
    """
    by_class: Mapping[str, Mapping[str, Any]] = figures.get("per_class", {})
    values = {
        "columns": columns,
        "worst": worst_of(by_class, worst_key)[:MAX_NAMED_CLASSES],
        "num_classes": len(by_class),
        "all": list(by_class.items()) if len(by_class) <= MAX_LISTED_CLASSES else [],
    }
    return Section("classes.html.j2", values)


def worst_of(
    by_class: Mapping[str, Mapping[str, Any]], key: str
) -> list[tuple[str, Mapping[str, Any]]]:
    """Sort classes by a figure, the lowest first; those without it are left out."""
    known = [item for item in by_class.items() if item[1].get(key) is not None]
    return sorted(known, key=lambda item: float(item[1][key]))
