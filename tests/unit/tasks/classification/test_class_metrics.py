"""Precision, recall and F1 equal scikit-learn's, degenerate input included."""

import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, precision_recall_fscore_support

from resnext.tasks.classification.class_metrics import balanced_accuracy, measure_classes
from resnext.tasks.classification.confusion import ConfusionCounter, images_per_class


def confusion_of(labels: list[int], predictions: list[int], num_classes: int) -> torch.Tensor:
    """Count pairs."""
    counter = ConfusionCounter(num_classes)
    counter.add(torch.tensor(labels, dtype=torch.int64), torch.tensor(predictions).long())
    return counter.matrix()


def check_parity(labels: list[int], predictions: list[int], num_classes: int) -> None:
    """Compare all figures with scikit-learn's."""
    confusion_kk = confusion_of(labels, predictions, num_classes)
    found = measure_classes(confusion_kk)
    every = list(range(num_classes))
    precision, recall, f1, images = precision_recall_fscore_support(
        labels, predictions, labels=every, average=None, zero_division=0
    )
    for ours, theirs in (
        (found.precision_k, precision),
        (found.recall_k, recall),
        (found.f1_k, f1),
    ):
        assert ours.tolist() == pytest.approx([100 * value for value in theirs], abs=1e-9)
    assert found.images_k.tolist() == images.tolist()
    means = precision_recall_fscore_support(
        labels, predictions, average="macro", zero_division=0
    )  # over the classes that occur, as by default
    expected = dict(zip(("macro_precision", "macro_recall", "macro_f1"), means[:3], strict=True))
    assert found.macro() == pytest.approx({k: 100 * v for k, v in expected.items()}, abs=1e-9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # classes that are predicted and have no image
        balanced = balanced_accuracy_score(labels, predictions)
    assert balanced_accuracy(*images_per_class(confusion_kk)) == pytest.approx(100 * balanced)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 8).flatmap(
        lambda k: st.tuples(
            st.just(k),
            st.lists(
                st.tuples(st.integers(0, k - 1), st.integers(0, k - 1)), min_size=1, max_size=60
            ),
        )
    )
)
def test_all_figures_equal_scikit_learns(case: tuple[int, list[tuple[int, int]]]) -> None:
    num_classes, pairs = case
    check_parity([a for a, _ in pairs], [b for _, b in pairs], num_classes)


@pytest.mark.parametrize(
    ("labels", "predictions", "num_classes"),
    [
        ([0, 0, 0], [0, 0, 0], 1),  # one class
        ([0, 0, 0], [0, 0, 0], 3),  # two classes that do not occur
        ([0, 0, 0], [2, 2, 2], 3),  # nothing right, the prediction has no images
        ([0, 1, 2], [1, 2, 0], 3),
        ([4], [4], 5),
    ],
)
def test_degenerate_input_gives_scikit_learns_figures(
    labels: list[int], predictions: list[int], num_classes: int
) -> None:
    check_parity(labels, predictions, num_classes)


def test_no_image_at_all_gives_zeros_and_no_class() -> None:
    found = measure_classes(torch.zeros(3, 3, dtype=torch.int64))
    assert found.macro() == {"macro_precision": 0.0, "macro_recall": 0.0, "macro_f1": 0.0}
    assert found.as_dict(("a", "b", "c")) == {}
    assert balanced_accuracy(torch.zeros(3, dtype=torch.int64), torch.zeros(3).long()) == 0.0


def test_a_rare_class_counts_as_much_as_a_frequent_one() -> None:
    # 99 of one class, all right; 1 of the other, wrong: the plain error is 1 %
    confusion_kk = torch.tensor([[99, 0], [1, 0]])
    assert balanced_accuracy(*images_per_class(confusion_kk)) == 50.0
    by_class = measure_classes(confusion_kk).as_dict(("often", "rare"))
    assert by_class["often"] == {
        "precision": 99.0,
        "recall": 100.0,
        "f1": pytest.approx(99.497, abs=1e-3),
        "images": 99,
    }
    assert by_class["rare"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "images": 1}
