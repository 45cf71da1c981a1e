"""Randomness as a function: a hash of (seed, purpose, epoch, index), with no state.

The numbers of a stateful generator depend on how work is distributed. A hash gives the same number
for the same sample, in any process and any order. The hash is splitmix64's finaliser, chained over
the keys, in wrapping 64-bit integers.
"""

from __future__ import annotations

import math
from enum import IntEnum

import numpy as np
import torch

_GAMMA = 0x9E3779B97F4A7C15  # splitmix64's increment, 2^64 divided by the golden ratio
_FACTORS = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
_SHIFTS = (30, 27, 31)
_WORD = (1 << 64) - 1
_CHUNK = 1 << 20


class Draw(IntEnum):
    """The purpose of a random number; each purpose has its own stream."""

    ORDER = 0
    CROP_ROW = 1
    CROP_COLUMN = 2
    FLIP = 3
    LIGHTING = 4
    ERASING = 5
    TRANSFORM = 6
    MIX = 7
    REPLACEMENT = 8
    SUBSET = 9
    WINDOW = 10
    SHIFT = 11
    SCALE = 12
    JITTER = 13
    MASK = 14
    TURN = 15
    BATCH = 16
    WORD = 24
    PLACE = 32
    SPEED = 33
    GAIN = 34
    NOISE = 35
    TIME_MASK = 36
    FREQUENCY_MASK = 37


def derive(*keys: int) -> int:
    """Hash a chain of integers into one key of 64 bits.

    Source: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators",
    OOPSLA 2014 (splitmix64).
    """
    state = 0
    for key in keys:
        state = _mix_int((state + (key + 1) * _GAMMA) & _WORD)
    return state


def bits(key: int, numbers: torch.Tensor) -> torch.Tensor:
    """Hash a key with each of many numbers.

    Args:
        key: Result of `derive`.
        numbers: int64 of any shape.

    Returns:
        64 random bits each, as int64 of the same shape: the next link of `derive`'s chain.
    """
    state = numbers.add(1).mul_(_signed(_GAMMA)).add_(_signed(key))
    for shift, factor in zip(_SHIFTS, _FACTORS, strict=False):
        state.bitwise_xor_(_shift_right(state, shift)).mul_(_signed(factor))
    return state.bitwise_xor_(_shift_right(state, _SHIFTS[-1]))


def uniform(key: int, numbers: torch.Tensor) -> torch.Tensor:
    """Draw a float32 in [0, 1), a multiple of 2^-24, for each number."""
    return _shift_right(bits(key, numbers), 40).to(torch.float32).mul_(2.0**-24)


def below(limit: int, key: int, numbers: torch.Tensor) -> torch.Tensor:
    """Draw an int64 in 0..limit-1 for each number; `limit` is below 2^31."""
    return _shift_right(bits(key, numbers), 32).mul_(limit).bitwise_right_shift_(32)


def normal(key: int, numbers: torch.Tensor) -> torch.Tensor:
    """Draw a float32 of the standard normal distribution for each number (Box-Muller)."""
    radius = (1.0 - uniform(derive(key, 0), numbers)).log_().mul_(-2.0).sqrt_()
    return radius.mul_(uniform(derive(key, 1), numbers).mul_(2.0 * math.pi).cos_())


def epoch_order(num: int, seed: int, epoch: int) -> torch.Tensor:
    """Return the order of an epoch: a permutation of 0..num-1, int64, on the CPU.

    It sorts a hash of the indices, so it does not depend on a library's shuffling.
    """
    return _order(derive(seed, Draw.ORDER, epoch), num)


def subset_order(num: int) -> torch.Tensor:
    """Return the order in which images enter a subset: a fixed permutation of 0..num-1, int64."""
    return _order(derive(Draw.SUBSET), num)


def _order(key: int, num: int) -> torch.Tensor:
    """Sort the numbers by their hashes, in little more memory than the result."""
    hashes = np.empty(num, dtype=np.int64)
    for start in range(0, num, _CHUNK):
        end = min(start + _CHUNK, num)
        hashes[start:end] = bits(key, torch.arange(start, end)).numpy()
    return torch.from_numpy(np.argsort(hashes, kind="stable"))


def _mix_int(state: int) -> int:
    for shift, factor in zip(_SHIFTS, _FACTORS, strict=False):
        state = ((state ^ (state >> shift)) * factor) & _WORD
    return state ^ (state >> _SHIFTS[-1])


def _shift_right(values: torch.Tensor, shift: int) -> torch.Tensor:
    """Shift in zeros from the left; torch's own shift repeats the sign."""
    return (values >> shift).bitwise_and_((1 << (64 - shift)) - 1)


def _signed(word: int) -> int:
    """Read an unsigned word of 64 bits as torch's signed one."""
    return word - (1 << 64) if word >> 63 else word
