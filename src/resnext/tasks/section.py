"""A task's section of a report, and the default section: a table of classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from resnext.data.split import DataInfo, Split
from resnext.tasks.measure import Measure

MAX_NAMED_CLASSES = 20
"""With more classes only the worst ones are shown initially."""

MAX_LISTED_CLASSES = 2_000
"""With more classes a page lists the worst only; `evaluation.json` has them all."""


@dataclass(frozen=True)
class Section:
    """A section of a report.

    Attributes:
        template: Name of the template below `tasks/`.
        values: Values for the template.
    """

    template: str
    values: dict[str, Any]


@dataclass(frozen=True)
class Softening:
    """What softens the targets of training.

    Attributes:
        label_smoothing: Fraction of the label spread over all classes.
        mixing: Alpha of each kind of mixing, such as mixup; 0 is off.
    """

    label_smoothing: float = 0.0
    mixing: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ReportInput:
    """The input of a task's section of a report.

    Attributes:
        result: Result of the evaluation, of the task's type.
        figures: The same as JSON values.
        split: The images.
        info: Their classes and channels.
        softening: Softening of the targets of training, if known.
    """

    result: Any
    figures: Mapping[str, Any]
    split: Split
    info: DataInfo
    softening: Softening


def class_section(
    figures: Mapping[str, Any], columns: Sequence[Measure], worst_key: str
) -> Section:
    """Return a table of the classes, worst first.

    Args:
        figures: Metrics of an evaluation; `per_class` has those of each class.
        columns: Displayed metrics of a class.
        worst_key: The metric for sorting the worst classes, lowest first.
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
    """Sort classes by a metric, lowest first; those without it are left out."""
    known = [item for item in by_class.items() if item[1].get(key) is not None]
    return sorted(known, key=lambda item: float(item[1][key]))
