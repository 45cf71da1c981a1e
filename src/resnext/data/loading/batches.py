"""Splits an epoch into batches, and a batch among processes."""

from __future__ import annotations

from resnext.errors import ConfigError


def num_steps(num_images: int, batch_size: int) -> int:
    """Return the steps of an epoch: the fewest with batches of at most `batch_size`."""
    return max(1, -(-num_images // batch_size))


def batch_span(step: int, num_images: int, batch_size: int) -> tuple[int, int]:
    """Return the first position of a step's batch in the epoch's order, and the last plus one.

    All batches have nearly the same size, so there is no small last one whose gradient would count
    as much as the others'. Every image occurs exactly once per epoch.
    """
    steps = num_steps(num_images, batch_size)
    return step * num_images // steps, (step + 1) * num_images // steps


def rank_span(start: int, end: int, rank: int, world_size: int) -> tuple[int, int]:
    """Return a process's part of the batch at start..end-1.

    Parts are contiguous and contain whole pairs (the first and second image, the third and fourth,
    ...), because mixup and cutmix mix within a pair.
    """
    pairs = -(-(end - start) // 2)
    cuts = (rank * pairs // world_size, (rank + 1) * pairs // world_size)
    return start + 2 * cuts[0], min(start + 2 * cuts[1], end)


def largest_share(num_images: int, batch_size: int, world_size: int) -> int:
    """Return the maximum number of images that one process gets in one step."""
    largest_batch = -(-num_images // num_steps(num_images, batch_size))
    shares = (rank_span(0, largest_batch, rank, world_size) for rank in range(world_size))
    return max(end - start for start, end in shares)


def check_shares(num_images: int, batch_size: int, world_size: int, noun: str = "images") -> None:
    """Check that each process gets an image of every batch.

    Raises:
        ConfigError: A batch has too few.
    """
    smallest_batch = num_images // num_steps(num_images, batch_size)
    if smallest_batch < 2 * world_size - 1:  # parts are whole pairs
        raise ConfigError(
            f"batches of {smallest_batch} {noun} are too small for {world_size} processes; use "
            "fewer processes or a larger batch_size"
        )
