"""A linear classifier on frozen features: logistic regression.

Legend: n training images, b images, d features, k classes.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from resnext.errors import DataError

Features = NDArray[np.float32]
Labels = NDArray[np.int64]

GRID = (1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0)
"""Candidate inverse strengths of the L2 penalty; the loss is a sum over images."""

_HELD_OUT = 0.2
_MAX_ITERATIONS = 1000


@dataclass(frozen=True)
class LinearProbe:
    """A fitted classifier.

    Attributes:
        c: Selected inverse strength of the penalty.
        converged: Whether the last fit reached its tolerance.
        num_classes: Classes of the data set.
    """

    c: float
    converged: bool
    num_classes: int
    _scaler: Any
    _classifier: Any

    def scores(self, features_bd: Features) -> torch.Tensor:
        """Return logits, b x k; minus infinity for a class without training images."""
        logits = self._classifier.decision_function(self._scaler.transform(features_bd))
        if logits.ndim == 1:  # with two classes there is only the logit of the second
            logits = np.stack([np.zeros_like(logits), logits], axis=1)
        scores_bk = torch.full((len(features_bd), self.num_classes), -torch.inf)
        scores_bk[:, self._classifier.classes_] = torch.from_numpy(logits).float()
        return scores_bk


def fit_linear(features_nd: Features, labels_n: Labels, num_classes: int, seed: int) -> LinearProbe:
    """Fit logistic regression on standardised features.

    The selected penalty has the fewest errors on a held-out fifth of the images of each class (on
    ties, the strongest); then all images are fitted. No other images are used.

    Args:
        features_nd: Features of the training images.
        labels_n: Their classes.
        num_classes: Classes of the data set.
        seed: Seed of the held-out fifth.

    Raises:
        DataError: Fewer than two classes, or no class with two images.
    """
    if len(np.unique(labels_n)) < 2:
        raise DataError("a linear probe needs training images of at least two classes")
    held_out = hold_out(labels_n, seed)
    if not held_out.any():
        raise DataError(
            "no class has two training images, so the penalty of a linear probe cannot be "
            "selected; add images, or use --method knn"
        )
    c = _choose_c(features_nd, labels_n, held_out)
    scaler, classifier = _new_scaler(), _new_classifier(c)
    converged = _fit(classifier, scaler.fit_transform(features_nd), labels_n)
    return LinearProbe(c, converged, num_classes, scaler, classifier)


def hold_out(labels_n: Labels, seed: int) -> NDArray[np.bool_]:
    """Mark a fifth of each class to hold out; at least one of two images, never a single one."""
    generator = np.random.default_rng(seed)
    mask = np.zeros(len(labels_n), dtype=np.bool_)
    for label in np.unique(labels_n):
        members = generator.permutation(np.flatnonzero(labels_n == label))
        if len(members) > 1:
            mask[members[: max(1, round(_HELD_OUT * len(members)))]] = True
    return mask


def _choose_c(features_nd: Features, labels_n: Labels, held_out: NDArray[np.bool_]) -> float:
    scaler = _new_scaler()
    fitted_nd, fitted_n = scaler.fit_transform(features_nd[~held_out]), labels_n[~held_out]
    tried_bd, tried_b = scaler.transform(features_nd[held_out]), labels_n[held_out]
    num_errors = []
    for c in GRID:  # from the strongest penalty on
        classifier = _new_classifier(c)
        _fit(classifier, fitted_nd, fitted_n)
        num_errors.append(int((classifier.predict(tried_bd) != tried_b).sum()))
    return GRID[int(np.argmin(num_errors))]


def _fit(classifier: Any, features_nd: Features, labels_n: Labels) -> bool:
    """Fit, and return whether the tolerance was reached."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        classifier.fit(features_nd, labels_n)
    others = [each for each in caught if not issubclass(each.category, ConvergenceWarning)]
    for other in others:
        warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)
    return len(others) == len(caught)


def _new_scaler() -> Any:
    from sklearn.preprocessing import StandardScaler

    return StandardScaler()


def _new_classifier(c: float) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=c, max_iter=_MAX_ITERATIONS)
