"""Logits become the same named classes, however they were computed."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from resnext.tasks.classification.answer import name_best

CLASSES = ("ant", "bee", "cat", "dog")
logits = st.lists(st.floats(-1e4, 1e4, width=32), min_size=4, max_size=4)


@given(logits)
def test_probabilities_are_the_softmax_and_the_best_come_first(values: list[float]) -> None:
    scores = name_best(np.array(values, np.float32), CLASSES, 4)
    expected = torch.tensor(values, dtype=torch.float64).softmax(dim=0)
    assert [score.name for score in scores] == [CLASSES[score.label] for score in scores]
    for score in scores:
        assert score.probability == pytest.approx(float(expected[score.label]), abs=1e-12)
    shares = [score.probability for score in scores]
    assert shares == sorted(shares, reverse=True)


def test_of_equal_logits_the_first_class_counts() -> None:
    scores = name_best(np.array([1.0, 3.0, 3.0, 1.0], np.float32), CLASSES, 3)
    assert [score.label for score in scores] == [1, 2, 0]


def test_no_more_classes_are_named_than_there_are() -> None:
    assert len(name_best(np.zeros(4, np.float32), CLASSES, 99)) == 4
