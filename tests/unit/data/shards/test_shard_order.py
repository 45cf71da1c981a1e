"""Orders through shards that a bounded cache can bear."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from resnext.data.random import epoch_order
from resnext.data.shards.layout import ShardRecord
from resnext.data.shards.order import order_of_epoch, order_of_evaluation, shards_ahead
from resnext.data.shards.remote import Remote
from resnext.data.shards.split import ShardSplit
from resnext.data.shards.table import ROW, ShardTable, write_table

NUM_SHARDS, NUM_IMAGES = 12, 600


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> ShardTable:
    folder = tmp_path_factory.mktemp("table")
    rows = np.zeros(NUM_IMAGES, dtype=ROW)
    generator = np.random.default_rng(0)
    rows["shard"] = generator.permutation(np.arange(NUM_IMAGES) * NUM_SHARDS // NUM_IMAGES)
    write_table(folder, "train", rows, ("a" for _ in range(NUM_IMAGES)))
    return ShardTable(folder, "train")


def split_of(table: ShardTable, mixed: int | None, num_cached: int | None = None) -> ShardSplit:
    remote = None
    if num_cached is not None:
        records = {
            str(k): ShardRecord(name=str(k), num_samples=0, size_bytes=10, sha256="0" * 64)
            for k in range(NUM_SHARDS)
        }
        remote = Remote("http://host", Path("nowhere"), records, 10 * num_cached)
    targets_n = torch.zeros(len(table), dtype=torch.int64)
    return ShardSplit(table, targets_n, remote=remote, mixed=mixed)


seeds = st.integers(0, 2**62)


@given(seed=seeds, epoch=st.integers(0, 300), mixed=st.integers(1, NUM_SHARDS - 1))
@settings(deadline=None)
def test_few_shards_are_open_at_any_moment_and_each_image_comes_once(
    table: ShardTable, seed: int, epoch: int, mixed: int
) -> None:
    split = split_of(table, mixed)
    order_n = order_of_epoch(split, seed, epoch)
    assert torch.equal(order_n.sort().values, torch.arange(NUM_IMAGES))
    shards = split.shards_n()[order_n].tolist()
    last = {shard: place for place, shard in enumerate(shards)}
    open_now: set[int] = set()
    for place, shard in enumerate(shards):
        open_now.add(shard)
        assert len(open_now) <= mixed + 1
        open_now = {one for one in open_now if last[one] > place}


@pytest.mark.parametrize("seed", range(5))
def test_a_cache_of_twice_the_buffer_fetches_each_shard_once_an_epoch(
    table: ShardTable, seed: int
) -> None:
    split, cached, num_fetched = split_of(table, 3), dict[int, None](), 0
    for shard in split.shards_n()[order_of_epoch(split, seed, 0)].tolist():
        if shard not in cached:
            num_fetched += 1
            if len(cached) == 6:
                del cached[next(iter(cached))]  # the one not used for longest
        cached.pop(shard, None)
        cached[shard] = None
    assert num_fetched == NUM_SHARDS


@given(seed=seeds, mixed=st.integers(NUM_SHARDS, 99))
@settings(deadline=None)
def test_a_buffer_for_all_shards_shuffles_fully(table: ShardTable, seed: int, mixed: int) -> None:
    expected = epoch_order(NUM_IMAGES, seed, 3)
    assert torch.equal(order_of_epoch(split_of(table, mixed), seed, 3), expected)
    assert torch.equal(order_of_epoch(split_of(table, None), seed, 3), expected)


def test_a_subset_in_few_shards_shuffles_fully(table: ShardTable) -> None:
    split = split_of(table, 3)
    part = split.choose((split.shards_n() < 3).nonzero().flatten())
    assert torch.equal(order_of_epoch(part, 5, 1), epoch_order(len(part), 5, 1))


def test_epochs_and_seeds_have_orders_of_their_own(table: ShardTable) -> None:
    split = split_of(table, 3)
    orders = {tuple(order_of_epoch(split, s, e).tolist()) for s in (1, 2) for e in (0, 1)}
    assert len(orders) == 4
    first = {int(split.shards_n()[order_of_epoch(split, seed, 0)[0]]) for seed in range(40)}
    assert len(first) > NUM_SHARDS / 2  # shards enter in an order of the seed's


@pytest.mark.slow
@given(
    seed=seeds,
    mixed=st.one_of(st.none(), st.integers(1, 5)),
    batch=st.integers(1, 70),
    begin=st.integers(0, NUM_IMAGES // 2),
    num_cached=st.integers(1, 14),
)
@settings(deadline=None)
def test_each_shard_is_named_once_and_no_later_than_it_is_used(
    table: ShardTable, seed: int, mixed: int | None, batch: int, begin: int, num_cached: int
) -> None:
    split = split_of(table, mixed, num_cached)
    order_n = order_of_epoch(split, seed, 0)
    starts = range(begin, NUM_IMAGES, batch)
    spans = [(start, min(start + batch, NUM_IMAGES)) for start in starts]
    named: list[int] = []
    for (start, end), soon in zip(spans, shards_ahead(split, order_n, spans), strict=True):
        named += soon
        assert set(split.shards_n()[order_n[start:end]].tolist()) <= set(named)
    assert len(named) == len(set(named))


def test_nothing_is_fetched_ahead_from_a_disk(table: ShardTable) -> None:
    spans = [(0, 10), (10, 20)]
    assert list(shards_ahead(split_of(table, None), torch.arange(20), spans)) == [(), ()]


def test_evaluation_goes_shard_by_shard_only_where_the_cache_is_too_small(
    table: ShardTable,
) -> None:
    everything = torch.arange(NUM_IMAGES)
    assert torch.equal(order_of_evaluation(split_of(table, None)), everything)
    assert torch.equal(order_of_evaluation(split_of(table, None, NUM_SHARDS)), everything)
    split = split_of(table, None, NUM_SHARDS - 1)
    order_n = order_of_evaluation(split)
    assert torch.equal(order_n.sort().values, everything)
    assert bool((split.shards_n()[order_n].diff() >= 0).all())
