"""Metrics of one label from its scores. Legend: n images with a known label."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
Applies = NDArray[np.bool_]

DEFAULT_THRESHOLD = 0.5


def average_precision(scores_n: Scores, applies_n: Applies) -> float | None:
    """Return the average precision in percent; None for a label that applies to no image."""
    if not applies_n.any():
        return None
    from sklearn.metrics import average_precision_score

    return 100.0 * float(average_precision_score(applies_n, scores_n))


def area_under_roc(scores_n: Scores, applies_n: Applies) -> float | None:
    """Return the area under the ROC curve in percent; None for a label that all or none have."""
    if not applies_n.any() or applies_n.all():
        return None
    from sklearn.metrics import roc_auc_score

    return 100.0 * float(roc_auc_score(applies_n, scores_n))


def best_threshold(probs_n: Scores, applies_n: Applies) -> float:
    """Return the threshold of a label with the highest F1.

    It is the midpoint between two images' probabilities. On ties it is the highest; for a label
    that applies to no image it is 0.5.
    """
    if not applies_n.any():
        return DEFAULT_THRESHOLD
    order = np.argsort(-probs_n, kind="stable")
    probs_n, right_n = probs_n[order], np.cumsum(applies_n[order])
    given_n = np.arange(1, len(probs_n) + 1)
    f1_n = 2 * right_n / (given_n + applies_n.sum())
    next_n = np.append(probs_n[1:], -1.0)
    f1_n[probs_n == next_n] = -1.0  # no threshold lies between equal probabilities
    best = int(f1_n.argmax())
    return float((probs_n[best] + max(next_n[best], 0.0)) / 2)


def f1_score(given_n: Applies, applies_n: Applies) -> float | None:
    """Return the F1 in percent; None for a label that is never given and never applies."""
    total = int(given_n.sum()) + int(applies_n.sum())
    return 200.0 * int((given_n & applies_n).sum()) / total if total else None
