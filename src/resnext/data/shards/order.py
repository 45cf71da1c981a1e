"""The order of an epoch through shards: a full shuffle, or a shuffle of a few shards at a time.

A full shuffle reads from all shards all the time, which does not work with a cache for only some of
them. In that case shards enter one after another in a random order, and each image is delayed by a
random time after its shard has entered, up to the length of `mixed` shards. About `mixed` + 1
shards are therefore open at any time, shards are loaded one at a time, and images are mixed as with
a shuffle buffer of `mixed` shards; packing shuffles the images within each shard.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import torch

from resnext.data.random import Draw, bits, derive, epoch_order

if TYPE_CHECKING:
    from resnext.data.shards.split import ShardSplit

_AHEAD = 2.0
"""Number of shards to prefetch."""


def order_of_epoch(split: ShardSplit, seed: int, epoch: int) -> torch.Tensor:
    """Return the order of an epoch: a permutation of the split, int64.

    It depends only on the seed, the epoch, the positions of the images and `split.mixed`.
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
    """Return the images in order, or shard by shard if the cache cannot hold all of them."""
    remote = split.remote
    if remote is None or remote.is_cached_whole:
        return torch.arange(len(split))
    return torch.argsort(split.shards_n(), stable=True)


def shards_ahead(
    split: ShardSplit, order_n: torch.Tensor, spans: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, ...]]:
    """Return for each batch the shards to prefetch.

    Args:
        split: The images.
        order_n: The order in which they are read.
        spans: First position of each batch in it, and the last plus one.

    Yields:
        For each batch, new shards that are first used in it or within the length of `_AHEAD`
        shards. Empty if the shards are local, or the cache has no spare room.
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
