import math
import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, log_loss

from resnext.errors import CheckpointError, DataError
from resnext.tasks.classification.result import ClassificationResult
from resnext.tasks.classification.tally import NUM_BINS, NUM_MISTAKES, ClassificationTally

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what torchmetrics pulls in may be older than our Python
    from torchmetrics.functional.classification import (
        multiclass_accuracy,
        multiclass_calibration_error,
    )


def draw(num: int, num_classes: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return random log-probabilities and labels."""
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(num, num_classes, generator=generator)
    return logits.log_softmax(1), torch.randint(num_classes, (num,), generator=generator)


def tally_of(
    log_probs: torch.Tensor, labels: torch.Tensor, *, full: bool = True, batch: int = 7
) -> ClassificationResult:
    tally = ClassificationTally(log_probs.shape[1], full=full)
    indices = torch.arange(len(labels))
    for start in range(0, len(labels), batch):
        part = slice(start, start + batch)
        tally.add(log_probs[part], labels[part], indices[part])
    return tally.result()


@settings(max_examples=20, deadline=None)
@given(num=st.integers(1, 80), num_classes=st.integers(6, 12), seed=st.integers(0, 2**31))
def test_errors_loss_and_confusion_equal_the_reference_libraries(
    num: int, num_classes: int, seed: int
) -> None:
    log_probs, labels = draw(num, num_classes, seed)
    result = tally_of(log_probs, labels)
    every = list(range(num_classes))
    for top_k, error in ((1, result.top1_error), (5, result.top5_error)):
        accuracy = multiclass_accuracy(log_probs, labels, num_classes, "micro", top_k=top_k)
        assert error == pytest.approx(100 * (1 - float(accuracy)), abs=1e-4)
    # sklearn's rows are the labels too
    expected = confusion_matrix(labels, log_probs.argmax(1), labels=every)
    assert result.confusion_kk is not None
    assert result.confusion_kk.tolist() == expected.tolist()
    probs = log_probs.double().exp()
    probs /= probs.sum(1, keepdim=True)
    assert result.loss == pytest.approx(log_loss(labels, probs, labels=every), rel=1e-6)


def test_the_cheap_balanced_accuracy_is_that_of_the_confusion() -> None:
    log_probs, labels = draw(200, 7, seed=5)
    cheap, full = (tally_of(log_probs, labels, full=full) for full in (False, True))
    assert cheap.confusion_kk is None
    assert cheap.balanced_accuracy == full.balanced_accuracy
    assert full.balanced_accuracy is not None
    assert 0 < full.balanced_accuracy < 100


@pytest.mark.parametrize("num_classes", [2, 10])
def test_the_calibration_error_equals_torchmetrics(num_classes: int) -> None:
    log_probs, labels = draw(500, num_classes, seed=3)
    expected = multiclass_calibration_error(
        log_probs.exp(), labels, num_classes, n_bins=NUM_BINS, norm="l1"
    )
    found = tally_of(log_probs, labels).calibration_error
    assert found == pytest.approx(100 * float(expected), abs=1e-4)


def test_full_confidence_falls_into_the_last_bin() -> None:
    log_probs = torch.tensor([[0.0, -math.inf], [0.0, -math.inf]])
    result = tally_of(log_probs, torch.tensor([0, 0]))
    assert result.bins is not None
    assert result.bins[:, -1].tolist() == [2.0, 2.0, 2.0]
    assert result.calibration_error == 0.0


def test_with_five_classes_or_fewer_there_is_no_top5_error() -> None:
    assert tally_of(*draw(20, 5, seed=0)).top5_error is None
    assert tally_of(*draw(20, 6, seed=0)).top5_error is not None


def test_the_size_of_batches_does_not_matter() -> None:
    log_probs, labels = draw(101, 8, seed=1)
    one, many = tally_of(log_probs, labels, batch=101), tally_of(log_probs, labels, batch=4)
    assert one.as_dict() == many.as_dict() | {
        "loss": pytest.approx(one.loss, rel=1e-12),
        "calibration_error": pytest.approx(one.calibration_error, rel=1e-12),
    }
    assert one.mistakes == many.mistakes


def test_mistakes_are_the_most_confident_wrong_predictions() -> None:
    log_probs, labels = draw(300, 7, seed=5)
    confidence, prediction = log_probs.double().exp().max(1)
    wrong = [i for i in range(300) if prediction[i] != labels[i]]
    expected = sorted(wrong, key=lambda i: -float(confidence[i]))[:NUM_MISTAKES]
    mistakes = tally_of(log_probs, labels).mistakes
    assert [mistake.index for mistake in mistakes] == expected
    first = mistakes[0]
    assert first.label == int(labels[first.index])
    assert first.prediction == int(prediction[first.index])
    assert first.confidence == pytest.approx(float(confidence[first.index]))


def test_the_cheap_tally_agrees_with_the_full_one() -> None:
    log_probs, labels = draw(64, 9, seed=2)
    full, cheap = tally_of(log_probs, labels), tally_of(log_probs, labels, full=False)
    assert (cheap.top1_error, cheap.top5_error, cheap.loss) == (
        full.top1_error,
        full.top5_error,
        full.loss,
    )
    assert cheap.confusion_kk is None


def test_a_network_that_gives_nan_is_always_wrong() -> None:
    log_probs = torch.full((12, 6), math.nan)
    result = tally_of(log_probs, torch.arange(12) % 6, full=False)
    assert (result.top1_error, result.top5_error) == (100.0, 100.0)
    assert math.isnan(result.loss)


def test_nan_has_no_details() -> None:
    with pytest.raises(CheckpointError, match="diverged"):
        tally_of(torch.full((3, 6), math.nan), torch.zeros(3, dtype=torch.int64))


def test_nothing_to_count_is_an_error() -> None:
    with pytest.raises(DataError, match="nothing to evaluate"):
        ClassificationTally(3, full=True).result()
