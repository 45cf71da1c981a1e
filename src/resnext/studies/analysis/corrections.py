"""Corrections of p values for multiple comparisons, and what each guarantees."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy import stats

from resnext.studies.study import Study

LEVEL = 0.05
"""Significance level."""

Correction = Literal["none", "Holm", "Benjamini-Hochberg"]


def correction_of(study: Study, num_compared: int) -> Correction:
    """Choose the correction of a study's p values.

    Planned comparisons are read individually, so the family-wise error rate is controlled. For
    explored design spaces, the false discovery rate is controlled.

    Args:
        study: The study.
        num_compared: Its comparisons, tested or not.
    """
    if num_compared < 2:
        return "none"
    return "Benjamini-Hochberg" if study.kind == "distribution" else "Holm"


def correct(ps: Sequence[float], correction: Correction) -> list[float]:
    """Correct p values for their number.

    Args:
        ps: All p values of the family. NaN for a planned comparison that cannot be tested; it
            counts as p = 1.
        correction: The method.

    Returns:
        The corrected p values in the same order; NaN stays NaN.
    """
    if correction == "none" or not ps:
        return list(ps)
    counted = np.nan_to_num(np.asarray(ps, dtype=float), nan=1.0)
    is_holm = correction == "Holm"
    corrected = _holm(counted) if is_holm else stats.false_discovery_control(counted)
    return [math.nan if math.isnan(p) else float(c) for p, c in zip(ps, corrected, strict=True)]


def _holm(ps: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Sequence[float]:
    """Correct by Holm's step-down procedure.

    Source: S. Holm, "A Simple Sequentially Rejective Multiple Test Procedure", 1979.
    """
    order = np.argsort(ps)
    steps = np.maximum.accumulate(ps[order] * np.arange(len(ps), 0, -1))
    corrected = np.empty_like(ps)
    corrected[order] = np.minimum(steps, 1.0)
    return list(corrected)


def describe_p(p: float, correction: Correction, family: str) -> str:
    """Format a corrected p value with its method.

    Args:
        p: The p value, corrected.
        correction: The method.
        family: What it is corrected for, such as `5 comparisons`.
    """
    text = f"p {'< 0.001' if p < 0.001 else f'= {p:.3f}'}"
    return text if correction == "none" else f"{text} by {correction} for {family}"
