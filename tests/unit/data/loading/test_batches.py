from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from resnext.data.loading.batches import batch_span, largest_share, num_steps, rank_span

NUMS, SIZES, WORLDS = st.integers(1, 700), st.integers(1, 100), st.integers(1, 5)


@given(NUMS, SIZES)
def test_batches_cover_the_epoch_once_in_order_and_differ_by_one_image_at_most(
    num: int, size: int
) -> None:
    spans = [batch_span(step, num, size) for step in range(num_steps(num, size))]
    assert [position for span in spans for position in range(*span)] == list(range(num))
    sizes = [end - start for start, end in spans]
    assert max(sizes) <= size
    assert max(sizes) - min(sizes) <= 1


@given(NUMS, SIZES)
def test_no_fewer_steps_would_do(num: int, size: int) -> None:
    assert (num_steps(num, size) - 1) * size < num <= num_steps(num, size) * size


@given(st.integers(0, 50), st.integers(1, 100), WORLDS)
def test_shares_cover_the_batch_once_and_never_part_a_pair(
    start: int, size: int, world_size: int
) -> None:
    spans = [rank_span(start, start + size, rank, world_size) for rank in range(world_size)]
    assert [p for span in spans for p in range(*span)] == list(range(start, start + size))
    assert all((first - start) % 2 == 0 for first, _ in spans if first < start + size)


@given(st.integers(1, 100), WORLDS)
def test_shares_differ_by_two_images_at_most(size: int, world_size: int) -> None:
    sizes = [
        end - first for first, end in (rank_span(0, size, r, world_size) for r in range(world_size))
    ]
    assert max(sizes) - min(sizes) <= 2


@given(NUMS, SIZES, WORLDS)
def test_largest_share_is_the_largest_of_all(num: int, size: int, world_size: int) -> None:
    shares = [
        rank_span(*batch_span(step, num, size), rank, world_size)
        for step in range(num_steps(num, size))
        for rank in range(world_size)
    ]
    assert largest_share(num, size, world_size) == max(end - start for start, end in shares)
