from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from resnext.data.random import Draw, below, bits, derive, epoch_order, normal, uniform

NUM = 100_000


def test_first_words_are_those_published_for_splitmix64_with_seed_zero() -> None:
    # Its k-th word is the finaliser of k increments; the words are S. Vigna's (splitmix64.c).
    assert [derive(k) for k in range(3)] == [
        0xE220A8397B1DCDAF,
        0x6E789E6AA1B965F4,
        0x06C45D188009454F,
    ]


@given(st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=4), st.integers(0, 2**62))
def test_tensors_are_hashed_as_integers_are(keys: list[int], last: int) -> None:
    word = int(bits(derive(*keys), torch.tensor([last]))[0])
    assert word % 2**64 == derive(*keys, last)


def test_uniform_numbers_fill_their_range_evenly() -> None:
    values = uniform(derive(1, 2), torch.arange(NUM))
    assert values.dtype == torch.float32
    assert float(values.min()) >= 0.0
    assert float(values.max()) < 1.0
    counts = torch.histc(values, bins=100, min=0.0, max=1.0)
    expected = NUM / 100
    chi_square = float(((counts - expected) ** 2 / expected).sum())
    # 99 degrees of freedom: mean 99, deviation 14; five deviations are generous.
    assert 99 - 5 * 14 < chi_square < 99 + 5 * 14


@pytest.mark.parametrize("limit", [1, 2, 9, 1000])
def test_integers_below_a_limit_are_all_equally_likely(limit: int) -> None:
    values = below(limit, derive(3), torch.arange(NUM))
    counts = torch.bincount(values, minlength=limit)
    assert len(counts) == limit
    expected = NUM / limit
    assert float((counts - expected).abs().max()) < 6 * expected**0.5 + 1


def test_normal_numbers_have_the_moments_of_the_normal_distribution() -> None:
    values = normal(derive(4), torch.arange(NUM)).double()
    assert abs(float(values.mean())) < 0.02
    assert abs(float(values.var()) - 1) < 0.03
    assert abs(float((values**3).mean())) < 0.06
    assert abs(float((values**4).mean()) - 3) < 0.15


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((0, Draw.FLIP, 0), (0, Draw.FLIP, 1)),
        ((0, Draw.FLIP, 0), (1, Draw.FLIP, 0)),
        ((0, Draw.CROP_ROW, 0), (0, Draw.CROP_COLUMN, 0)),
        ((0, Draw.FLIP, 1), (1, Draw.FLIP, 0)),
    ],
)
def test_streams_that_differ_in_one_key_are_uncorrelated(
    left: tuple[int, int, int], right: tuple[int, int, int]
) -> None:
    numbers = torch.arange(NUM)
    pair = torch.stack([uniform(derive(*left), numbers), uniform(derive(*right), numbers)])
    assert abs(float(torch.corrcoef(pair)[0, 1])) < 5 / NUM**0.5


def test_neighbouring_numbers_are_uncorrelated() -> None:
    values = uniform(derive(5), torch.arange(NUM + 1))
    pair = torch.stack([values[1:], values[:-1]])
    assert abs(float(torch.corrcoef(pair)[0, 1])) < 5 / NUM**0.5


@given(st.integers(1, 500), st.integers(0, 10), st.integers(0, 10))
def test_an_order_holds_every_index_once(num: int, seed: int, epoch: int) -> None:
    assert epoch_order(num, seed, epoch).sort().values.tolist() == list(range(num))


def test_orders_differ_by_epoch_and_by_seed() -> None:
    orders = [epoch_order(100, seed, epoch).tolist() for seed in range(3) for epoch in range(3)]
    assert len({tuple(order) for order in orders}) == 9


def test_an_order_is_unrelated_to_the_sorted_one() -> None:
    order = epoch_order(10_000, 0, 0).double()
    pair = torch.stack([order, torch.arange(10_000).double()])
    assert abs(float(torch.corrcoef(pair)[0, 1])) < 0.05
