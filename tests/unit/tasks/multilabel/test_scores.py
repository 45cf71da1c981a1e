"""Figures of one label against scikit-learn, torchmetrics and a search of all thresholds."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score as sklearn_f1

from resnext.tasks.multilabel.scores import (
    Applies,
    Scores,
    area_under_roc,
    average_precision,
    best_threshold,
    f1_score,
)

torchmetrics = pytest.importorskip("torchmetrics.functional.classification")


@st.composite
def labelled(draw: st.DrawFn) -> tuple[Scores, Applies]:
    num = draw(st.integers(1, 30))
    probabilities = draw(st.lists(st.sampled_from(range(12)), min_size=num, max_size=num))
    applies = draw(st.lists(st.booleans(), min_size=num, max_size=num))
    return np.array(probabilities) / 11.0, np.array(applies)


@given(labelled())
@settings(max_examples=100, deadline=None)
def test_no_threshold_has_a_higher_f1(case: tuple[Scores, Applies]) -> None:
    probs_n, applies_n = case
    threshold = best_threshold(probs_n, applies_n)
    assert 0.0 <= threshold <= 1.0
    if not applies_n.any():
        assert threshold == 0.5
        return
    tried = np.linspace(-0.01, 1.01, 206)  # between all values that occur
    given_tn = probs_n >= tried[:, None]
    right_t = (given_tn & applies_n).sum(axis=1)
    best = max(2 * right_t / (given_tn.sum(axis=1) + applies_n.sum()))
    assert sklearn_f1(applies_n, probs_n >= threshold) == pytest.approx(best)


@given(labelled())
@settings(max_examples=50, deadline=None)
def test_figures_are_those_of_torchmetrics(case: tuple[Scores, Applies]) -> None:
    probs_n, applies_n = case
    scores, targets = torch.from_numpy(probs_n), torch.from_numpy(applies_n).long()
    ap, auc = average_precision(probs_n, applies_n), area_under_roc(probs_n, applies_n)
    if not applies_n.any():
        assert ap is None
    else:
        expected = torchmetrics.binary_average_precision(scores, targets)
        assert ap == pytest.approx(100.0 * float(expected))
    if not applies_n.any() or applies_n.all():
        assert auc is None
    else:
        assert auc == pytest.approx(100.0 * float(torchmetrics.binary_auroc(scores, targets)))
    given_n = probs_n >= 0.5
    if given_n.any() or applies_n.any():
        expected = torchmetrics.binary_f1_score(torch.from_numpy(given_n).long(), targets)
        assert f1_score(given_n, applies_n) == pytest.approx(100.0 * float(expected))


def test_a_label_that_never_applies_and_is_never_given_has_no_f1() -> None:
    assert f1_score(np.zeros(3, dtype=np.bool_), np.zeros(3, dtype=np.bool_)) is None
