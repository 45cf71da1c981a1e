"""The loss of a batch, with and without class weights."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from resnext.data.loading.batch import Batch
from resnext.tasks.classification.loss import batch_loss

WEIGHTS_K = torch.tensor([0.5, 1.0, 3.0])


def make_batch(num: int, seed: int, *, mixed: bool = False) -> tuple[torch.Tensor, Batch]:
    """Return random scores of three classes, and labels for them."""
    generator = torch.Generator().manual_seed(seed)
    targets_b, others_b = torch.randint(3, (2, num), generator=generator)
    kept_b = torch.rand(num, generator=generator)
    batch = Batch(torch.empty(num, 0), targets_b, torch.arange(num), global_size=num)
    if mixed:
        batch = Batch(batch.images_bchw, targets_b, batch.indices_b, num, others_b, kept_b)
    return torch.randn(num, 3, generator=generator), batch


def choose(batch: Batch, rows_b: torch.Tensor) -> Batch:
    """Return some rows of a batch, also several times."""
    other, kept = batch.other_targets_b, batch.kept_b
    return Batch(
        batch.images_bchw[rows_b],
        batch.targets_b[rows_b],
        batch.indices_b[rows_b],
        len(rows_b),
        None if other is None else other[rows_b],
        None if kept is None else kept[rows_b],
    )


def test_without_weights_the_loss_is_torchs_bit_for_bit() -> None:
    logits_bk, batch = make_batch(11, 0)
    expected = F.cross_entropy(logits_bk, batch.targets_b, label_smoothing=0.1)
    assert torch.equal(batch_loss(logits_bk, batch, 0.1), expected)


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.2])
def test_equal_weights_of_one_change_nothing(label_smoothing: float, mixed: bool) -> None:
    logits_bk, batch = make_batch(12, 1, mixed=mixed)
    plain = batch_loss(logits_bk, batch, label_smoothing)
    weighted = batch_loss(logits_bk, batch, label_smoothing, torch.ones(3))
    assert float(weighted) == pytest.approx(float(plain), rel=1e-6)


@pytest.mark.parametrize("label_smoothing", [0.0, 0.2])
def test_an_image_of_weight_two_counts_like_two_copies(label_smoothing: float) -> None:
    logits_bk, batch = make_batch(10, 2)
    copies_b = 1 + (batch.targets_b == 1).long()
    rows_b = torch.arange(10).repeat_interleave(copies_b)
    copied = batch_loss(logits_bk[rows_b], choose(batch, rows_b), label_smoothing) * len(rows_b)
    weighted = batch_loss(logits_bk, batch, label_smoothing, torch.tensor([1.0, 2.0, 1.0])) * 10
    assert float(weighted) == pytest.approx(float(copied), rel=1e-5)


def test_each_label_of_a_mixed_image_has_its_own_weight() -> None:
    logits_bk, batch = make_batch(6, 3, mixed=True)
    assert batch.other_targets_b is not None
    assert batch.kept_b is not None
    expected = 0.0
    for row in range(6):
        kept = float(batch.kept_b[row])
        labels = ((kept, batch.targets_b), (1 - kept, batch.other_targets_b))
        for share, targets_b in labels:
            label = int(targets_b[row])
            loss = F.cross_entropy(logits_bk[row], targets_b[row], label_smoothing=0.1)
            expected += share * float(WEIGHTS_K[label]) * float(loss)
    found = batch_loss(logits_bk, batch, 0.1, WEIGHTS_K)
    assert float(found) == pytest.approx(expected / 6, rel=1e-5)


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(1, 39), max_size=5), seed=st.integers(0, 999), mixed=st.booleans())
def test_parts_of_a_batch_add_up_to_the_whole(cuts: list[int], seed: int, mixed: bool) -> None:
    logits_bk, batch = make_batch(40, seed, mixed=mixed)
    whole = batch_loss(logits_bk, batch, 0.1, WEIGHTS_K)
    total = 0.0
    for rows_b in torch.arange(40).tensor_split(sorted(cuts)):
        if len(rows_b):
            part = batch_loss(logits_bk[rows_b], choose(batch, rows_b), 0.1, WEIGHTS_K)
            total += float(part) * len(rows_b) / 40
    assert total == pytest.approx(float(whole), rel=1e-5)


def test_weights_do_not_lower_the_precision_of_bf16_scores() -> None:
    logits_bk, batch = make_batch(9, 4)
    found = batch_loss(logits_bk.bfloat16(), batch, 0.0, WEIGHTS_K)
    assert found.dtype == torch.float32
    expected = batch_loss(logits_bk.bfloat16().float(), batch, 0.0, WEIGHTS_K)
    assert torch.equal(found, expected)
