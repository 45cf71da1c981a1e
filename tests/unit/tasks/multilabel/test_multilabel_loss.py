"""The losses of several labels, against torch's own and the formula of the paper."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F

from resnext.data.loading.batch import Batch
from resnext.tasks.multilabel.loss import batch_loss

LOGITS_BK = torch.tensor([[2.0, -1.0, 0.5], [0.0, 3.0, -4.0]])
TARGETS_BK = torch.tensor([[1, 0, 1], [0, 1, 0]], dtype=torch.int8)


def batch(targets_bk: torch.Tensor, **mixed: Any) -> Batch:
    num = len(targets_bk)
    return Batch(torch.zeros(num, 1, 1, 1), targets_bk, torch.arange(num), num, **mixed)


def test_bce_is_torchs() -> None:
    expected = F.binary_cross_entropy_with_logits(LOGITS_BK, TARGETS_BK.float())
    assert batch_loss(LOGITS_BK, batch(TARGETS_BK), "bce") == pytest.approx(float(expected))


def test_a_label_that_is_not_known_does_not_enter_the_loss() -> None:
    targets_bk = TARGETS_BK.clone()
    targets_bk[0, 2] = -1
    known = F.binary_cross_entropy_with_logits(LOGITS_BK[0, :2], TARGETS_BK[0, :2].float())
    other = F.binary_cross_entropy_with_logits(LOGITS_BK[1], TARGETS_BK[1].float())
    logits_bk = LOGITS_BK.clone().requires_grad_()
    loss = batch_loss(logits_bk, batch(targets_bk), "bce")
    assert loss.item() == pytest.approx(float(known + other) / 2)
    (gradient_bk,) = torch.autograd.grad(loss, logits_bk)
    assert gradient_bk[0, 2] == 0
    assert (gradient_bk[0, :2] != 0).all()


def test_an_image_of_which_nothing_is_known_costs_nothing() -> None:
    unknown = torch.full_like(TARGETS_BK, -1)
    assert batch_loss(LOGITS_BK, batch(unknown), "asymmetric") == 0.0


def test_the_asymmetric_loss_is_that_of_its_paper() -> None:
    # arXiv 2009.14119: -log p of a positive; -q^4 log(1 - q) of a negative, q = max(p - 0.05, 0)
    expected = 0.0
    for logits_k, targets_k in zip(LOGITS_BK.tolist(), TARGETS_BK.tolist(), strict=True):
        for logit, target in zip(logits_k, targets_k, strict=True):
            p = float(torch.sigmoid(torch.tensor(logit, dtype=torch.float64)))
            q = max(p - 0.05, 0.0)
            part = torch.tensor([p, 1.0 - q], dtype=torch.float64).log().tolist()
            expected -= part[0] if target else q**4 * part[1]
    loss = batch_loss(LOGITS_BK, batch(TARGETS_BK), "asymmetric")
    assert float(loss) == pytest.approx(expected / 6, rel=1e-5)


def test_smoothing_moves_both_kinds_of_labels() -> None:
    soft = TARGETS_BK.float() * 0.8 + 0.1
    expected = F.binary_cross_entropy_with_logits(LOGITS_BK, soft)
    loss = batch_loss(LOGITS_BK, batch(TARGETS_BK), "bce", label_smoothing=0.2)
    assert float(loss) == pytest.approx(float(expected))


def test_mixed_images_have_the_mixture_of_both_losses() -> None:
    kept_b = torch.tensor([0.7, 0.2])
    mixed = batch(TARGETS_BK, other_targets_b=TARGETS_BK.flip(0), kept_b=kept_b)
    own_b, other_b = (
        F.binary_cross_entropy_with_logits(LOGITS_BK, t.float(), reduction="none").mean(1)
        for t in (TARGETS_BK, TARGETS_BK.flip(0))
    )
    expected = (kept_b * own_b + (1 - kept_b) * other_b).mean()
    assert float(batch_loss(LOGITS_BK, mixed, "bce")) == pytest.approx(float(expected))


@pytest.mark.parametrize("name", ["bce", "asymmetric"])
def test_extreme_logits_give_numbers(name: str) -> None:
    logits_bk = torch.tensor([[1e4, -1e4, 1e4], [-1e4, 1e4, -1e4]], requires_grad=True)
    loss = batch_loss(logits_bk, batch(TARGETS_BK.flip(1)), name)
    (gradient_bk,) = torch.autograd.grad(loss, logits_bk)
    assert torch.isfinite(loss)
    assert torch.isfinite(gradient_bk).all()
