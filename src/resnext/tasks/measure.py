"""A metric and its direction. Needs no torch."""

from __future__ import annotations

import math
from dataclasses import dataclass


def as_title(label: str) -> str:
    """Return a label as a heading: `Error`, but `mAP`."""
    return label.capitalize() if label.islower() else label


@dataclass(frozen=True)
class Measure:
    """One metric of an evaluation.

    Attributes:
        key: Its name in logs and JSON, such as `top1_error`.
        label: Its displayed name, such as `top-1 error`.
        unit: `%`, another unit, or nothing.
        is_higher_better: Whether higher is better.
        digits: Displayed decimal places.
    """

    key: str
    label: str
    unit: str = "%"
    is_higher_better: bool = False
    digits: int = 2

    def write(self, value: float) -> str:
        """Format a value, such as `12.30 %`."""
        return f"{value:,.{self.digits}f}{f' {self.unit}' if self.unit else ''}"

    def mean(self, total: float, num: int) -> float:
        """Return the mean over images from a total, in percent if each counts 0 to 1."""
        return (100.0 if self.unit == "%" else 1.0) * total / num

    def cost(self, value: float) -> float:
        """Return a number that is lower for better values."""
        return -value if self.is_higher_better else value

    def is_better(self, value: float, other: float) -> bool:
        """Return whether a value is better than another; NaN never is."""
        return self.cost(value) < self.cost(other)

    def score(self, value: float, loss: float | None) -> tuple[float, float]:
        """Return the sort key of epochs, lowest first: the metric, then the loss."""
        return self.cost(value), math.inf if loss is None or math.isnan(loss) else loss
