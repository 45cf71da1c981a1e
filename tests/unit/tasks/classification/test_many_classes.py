"""Memory and JSON grow with the images and the classes, not with the square of the classes."""

from __future__ import annotations

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from resnext.evaluation import probe
from resnext.evaluation.knn import Neighbours
from resnext.evaluation.probe import FrozenSplit, probe_knn
from resnext.tasks.classification import confusion
from resnext.tasks.classification.confusion import (
    ConfusionCounter,
    as_json,
    images_per_class,
    top_confusions,
    worst_classes,
)
from resnext.tasks.classification.plots import draw_confusion
from resnext.tasks.classification.tally import ClassificationTally

NUM_CLASSES, NUM = 20_000, 500


def test_twenty_thousand_classes_take_little_memory_and_json() -> None:
    generator = torch.Generator().manual_seed(0)
    tally = ClassificationTally(NUM_CLASSES, full=True)
    names = [str(k) for k in range(NUM_CLASSES)]
    for start in range(0, NUM, 50):
        labels = torch.randint(0, NUM_CLASSES, (50,), generator=generator)
        log_probs = torch.randn(50, NUM_CLASSES, generator=generator).log_softmax(1)
        log_probs[::2].scatter_(1, labels[::2, None], 0.0)
        tally.add(log_probs, labels, torch.arange(start, start + 50))
    result = tally.result()
    assert result.confusion_kk is not None
    assert result.confusion_kk.is_sparse
    assert len(result.confusion_kk.values()) <= NUM
    text = json.dumps(result.as_dict(names))
    assert len(text) < 400 * NUM
    assert draw_confusion(result.confusion_kk).startswith("data:image/png")
    assert len(worst_classes(result.confusion_kk, names, 20).names) == 20
    assert len(top_confusions(result.confusion_kk, names)) == 10
    assert sum(json.loads(text)["confusion"]["images"]) == NUM


Pairs = list[tuple[int, int]]


def both_forms(pairs: Pairs) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a confusion matrix of seven classes in the dense form and in the sparse one."""
    labels, predictions = torch.tensor(pairs).T
    counter = ConfusionCounter(7)
    for part in torch.split(torch.arange(len(pairs)), 9):
        counter.add(labels[part], predictions[part])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(confusion, "MAX_DENSE_CLASSES", 6)
        sparse = counter.matrix()
    return counter.matrix(), sparse


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=60))
def test_the_sparse_form_tells_what_the_dense_one_tells(pairs: Pairs) -> None:
    dense, sparse = both_forms(pairs)
    expected = torch.zeros(7, 7, dtype=torch.int64)
    for label, prediction in pairs:
        expected[label, prediction] += 1
    assert torch.equal(dense, expected)
    assert sparse.is_sparse
    assert torch.equal(sparse.to_dense(), expected)
    assert images_per_class(sparse)[0].tolist() == expected.sum(1).tolist()
    assert images_per_class(sparse)[1].tolist() == expected.diagonal().tolist()
    names = "abcdefg"
    assert worst_classes(sparse, names, 3) == worst_classes(dense, names, 3)
    assert top_confusions(sparse, names) == top_confusions(dense, names)
    cells = as_json(sparse)
    assert isinstance(cells, dict)
    assert sum(cells["images"]) == len(pairs)


def test_both_forms_are_drawn_alike() -> None:
    dense, sparse = both_forms([(number % 7, number * number % 7) for number in range(40)])
    assert draw_confusion(sparse) == draw_confusion(dense)


def test_two_processes_count_what_one_counts() -> None:
    labels, predictions = torch.randint(0, 9, (2, 200), generator=torch.Generator().manual_seed(1))
    whole, first, second = (ConfusionCounter(9) for _ in range(3))
    whole.add(labels, predictions)
    first.add(labels[:90], predictions[:90])
    second.add(labels[90:], predictions[90:])
    first.add_cells(*second.cells())
    assert torch.equal(first.matrix(), whole.matrix())


def test_a_probe_scores_many_classes_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(2)
    labels = torch.arange(40) % 8
    features = torch.randn(40, 5, generator=generator) + 2 * torch.randn(
        8, 5, generator=generator
    ).index_select(0, labels)
    train, val = FrozenSplit(features, labels), FrozenSplit(features + 0.7, labels)
    at_once = probe_knn(train, val, 8, Neighbours(k=3))
    monkeypatch.setattr(probe, "_MAX_SCORES", 24)
    in_parts = probe_knn(train, val, 8, Neighbours(k=3))
    assert in_parts.top1_error == pytest.approx(at_once.top1_error)
    assert in_parts.top5_error == pytest.approx(at_once.top5_error)
    assert at_once.top1_error > 0
