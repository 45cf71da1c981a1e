import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsClassifier

from resnext.errors import ConfigError
from resnext.evaluation import knn
from resnext.evaluation.knn import Neighbours, knn_scores, nearest

NUM_CLASSES = 4


def random_case(
    seed: int, num_bank: int = 60, num_queries: int = 25, dimension: int = 7
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return a bank, its labels and queries, float64, so that no two similarities tie."""
    generator = torch.Generator().manual_seed(seed)
    bank = torch.randn(num_bank, dimension, generator=generator, dtype=torch.float64)
    queries = torch.randn(num_queries, dimension, generator=generator, dtype=torch.float64)
    labels = torch.randint(NUM_CLASSES, (num_bank,), generator=generator)
    return bank, labels, queries


def scores(
    bank: torch.Tensor, labels: torch.Tensor, queries: torch.Tensor, k: int, temperature: float
) -> torch.Tensor:
    neighbours = Neighbours(k, temperature)
    return knn_scores(bank, labels, queries, num_classes=NUM_CLASSES, neighbours=neighbours)


@given(seed=st.integers(0, 10_000), k=st.integers(1, 60))
def test_equal_votes_are_those_of_scikit_learn(seed: int, k: int) -> None:
    bank, labels, queries = random_case(seed)
    reference = KNeighborsClassifier(k, metric="cosine").fit(bank.numpy(), labels.numpy())
    shares = np.zeros((len(queries), NUM_CLASSES))
    shares[:, reference.classes_] = reference.predict_proba(queries.numpy())
    votes = scores(bank, labels, queries, k, math.inf).exp().numpy()
    np.testing.assert_allclose(votes / k, shares, atol=1e-12)


@pytest.mark.slow
@given(
    seed=st.integers(0, 10_000),
    k=st.integers(1, 60),
    temperature=st.floats(0.01, 10.0),
)
def test_weighted_votes_are_the_sums_of_the_definition(
    seed: int, k: int, temperature: float
) -> None:
    bank, labels, queries = random_case(seed, num_queries=5)
    found = scores(bank, labels, queries, k, temperature).softmax(dim=1)
    for query, shares in zip(queries, found, strict=True):
        similarities = [float(query @ row / query.norm() / row.norm()) for row in bank]
        order = sorted(range(len(bank)), key=lambda row: -similarities[row])[:k]
        votes = [0.0] * NUM_CLASSES
        for row in order:
            votes[int(labels[row])] += math.exp(similarities[row] / temperature)
        expected = [vote / sum(votes) for vote in votes]
        np.testing.assert_allclose(shares.numpy(), expected, rtol=1e-9, atol=1e-12)


def test_chunks_of_any_size_give_the_same_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    bank, _, queries = random_case(1)
    expected = nearest(bank, queries, 9)
    for rows, similarities in ((7, 21), (1, 1), (59, 10_000)):
        monkeypatch.setattr(knn, "_BANK_ROWS", rows)
        monkeypatch.setattr(knn, "_MAX_SIMILARITIES", similarities)
        found = nearest(bank, queries, 9)
        assert torch.equal(found[1], expected[1])
        assert torch.allclose(found[0], expected[0], atol=1e-12)


def test_no_product_is_larger_than_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(knn, "_BANK_ROWS", 10)
    monkeypatch.setattr(knn, "_MAX_SIMILARITIES", 40)
    largest = 0
    multiply = torch.Tensor.__matmul__

    def watch(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        nonlocal largest
        product = multiply(left, right)
        largest = max(largest, product.numel())
        return product

    monkeypatch.setattr(torch.Tensor, "__matmul__", watch)
    bank, _, queries = random_case(2)
    nearest(bank, queries, 3)
    assert largest == 40


def test_only_the_direction_of_features_counts() -> None:
    bank, labels, queries = random_case(3)
    expected = scores(bank, labels, queries, 8, 0.07)
    lengths = torch.linspace(0.001, 1000.0, len(bank), dtype=torch.float64)[:, None]
    assert torch.allclose(scores(bank * lengths, labels, queries * 5, 8, 0.07), expected)


def test_tiny_temperatures_do_not_overflow_and_leave_the_nearest() -> None:
    bank, labels, queries = random_case(4)
    found = scores(bank.float(), labels, queries.float(), 20, 1e-6)
    assert not bool(found.isnan().any())
    assert torch.equal(found.argmax(dim=1), labels[nearest(bank, queries, 1)[1][:, 0]])


def test_a_class_without_a_vote_has_no_score() -> None:
    bank, labels, queries = random_case(5)
    found = scores(bank, labels, queries, 1, 0.07)
    assert ((found == -torch.inf).sum(dim=1) == NUM_CLASSES - 1).all()


def test_an_image_without_activation_is_similar_to_nothing() -> None:
    bank, _, queries = random_case(6)
    bank[0] = 0.0
    similarities, rows = nearest(bank, queries, len(bank))
    assert (similarities[rows == 0] == 0.0).all()


@pytest.mark.parametrize(
    ("k", "temperature", "message"),
    [(61, 0.07, "--k 61: there are only 60"), (0, 0.07, "--k 0"), (5, 0.0, "--temperature 0.0"),
     (5, math.nan, "--temperature nan")],
)  # fmt: skip
def test_values_without_a_meaning_are_refused(k: int, temperature: float, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        scores(*random_case(0), k, temperature)
