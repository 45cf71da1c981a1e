"""The order of an epoch through shards: a full shuffle, or one that a few shards at a time allow.

A full shuffle reads from all shards all the time, which a cache that holds only some of them
could not bear. Then shards enter one after another in an order of their own, and each image
waits a random time after its shard has entered, at most as long as `mixed` shards last. So
about `mixed` + 1 shards are open at any moment, shards come one at a time, and images are mixed
as by a shuffle buffer of `mixed` shards; in each shard they were mixed when it was packed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import torch

from resnext.data.random import Draw, bits, derive, epoch_order

if TYPE_CHECKING:
    from resnext.data.shards.split import ShardSplit

_AHEAD = 2.0
"""Shards that are fetched before they are needed."""


def order_of_epoch(split: ShardSplit, seed: int, epoch: int) -> torch.Tensor:
    """Return the order of an epoch: a permutation of the split, int64.

    It depends on the seed, the epoch, where the images lie and `split.mixed` only.
    """
    if split.mixed is None:
        return epoch_order(len(split), seed, epoch)
    shards_n = split.shards_n()
    counts_k = torch.bincount(shards_n)
    used = counts_k.nonzero().flatten()
    if len(used) <= split.mixed:
        return epoch_order(len(split), seed, epoch)
    key = derive(seed, Draw.ORDER, epoch)
    entry_k = torch.zeros_like(counts_k)
    entry_k[used[torch.argsort(bits(derive(key, 0), used), stable=True)]] = torch.arange(len(used))
    # In units of 2^-32 shards: both numbers are below 2^31, so nothing overflows.
    wait_n = (bits(derive(key, 1), torch.arange(len(split))) >> 32).bitwise_and_(0xFFFFFFFF)
    due_n = (entry_k[shards_n] << 32).add_(wait_n.mul_(split.mixed))
    return torch.argsort(due_n, stable=True)


def order_of_evaluation(split: ShardSplit) -> torch.Tensor:
    """Return the images in their order, or shard by shard where a cache holds not all of them."""
    remote = split.remote
    if remote is None or remote.is_cached_whole:
        return torch.arange(len(split))
    return torch.argsort(split.shards_n(), stable=True)


def shards_ahead(
    split: ShardSplit, order_n: torch.Tensor, spans: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, ...]]:
    """Say for each batch which shards to begin to fetch, so that they are there in time.

    Args:
        split: The images.
        order_n: The order in which they are read.
        spans: First position of each batch in it, and the last plus one.

    Yields:
        For each batch, shards that none before it named and that are used for the first
        time in it or within the time that `_AHEAD` shards last. None where the shards lie
        on a disk, or the cache has no room to spare.
    """
    remote = split.remote
    if remote is None or not spans:
        yield from [()] * len(spans)
        return
    spare = _AHEAD if remote.is_cached_whole else remote.num_cached - 1 - (split.mixed or 1)
    shards_n = split.shards_n()
    per_shard = len(split) / int((torch.bincount(shards_n) > 0).sum())
    per_batch = max(1.0, sum(end - start for start, end in spans) / len(spans))
    reach = int(min(_AHEAD, max(spare, 0.0)) * per_shard / per_batch)
    named: set[int] = set()
    for number in range(len(spans)):
        near = spans[0 if number == 0 else number + reach : number + reach + 1]
        found = (shards_n[order_n[start:end]].tolist() for start, end in near)
        new = dict.fromkeys(shard for batch in found for shard in batch if shard not in named)
        named.update(new)
        yield tuple(new)
