"""A figure that judges a network, and in which direction. Needs no torch."""

from __future__ import annotations

import math
from dataclasses import dataclass


def as_title(label: str) -> str:
    """Return a label as a heading: `Error`, but `mAP`."""
    return label.capitalize() if label.islower() else label


@dataclass(frozen=True)
class Measure:
    """One figure of an evaluation.

    Attributes:
        key: Its name in logs and JSON, such as `top1_error`.
        label: Its name for people, such as `top-1 error`.
        unit: `%`, another unit, or nothing.
        is_higher_better: Whether more of it is better.
        digits: Digits behind the point for people.
    """

    key: str
    label: str
    unit: str = "%"
    is_higher_better: bool = False
    digits: int = 2

    def write(self, value: float) -> str:
        """Return a value for people, such as `12.30 %`."""
        return f"{value:,.{self.digits}f}{f' {self.unit}' if self.unit else ''}"

    def mean(self, total: float, num: int) -> float:
        """Return the mean over images whose figures sum up to a total; 0 to 1 each in percent."""
        return (100.0 if self.unit == "%" else 1.0) * total / num

    def cost(self, value: float) -> float:
        """Return a number that is the lower, the better the value."""
        return -value if self.is_higher_better else value

    def is_better(self, value: float, other: float) -> bool:
        """Tell whether a value is better than another; NaN never is."""
        return self.cost(value) < self.cost(other)

    def score(self, value: float, loss: float | None) -> tuple[float, float]:
        """Return what orders epochs, lowest first: the figure, then the loss."""
        return self.cost(value), math.inf if loss is None or math.isnan(loss) else loss
