"""Damage to a file: flipped bits, cut and repeated pieces, odd numbers, hostile fragments."""

from __future__ import annotations

import random
from collections.abc import Sequence

_ODD_NUMBERS = (b"-1", b"0", b"1e999", b"NaN", b"9" * 30, b"null", b"[]", b"{}", b'""', b"true")
_TEXTS = (b"../../x", b"/etc/passwd", b"\x1b[2J", b"\x00", b"\xff\xfe", b'"', b"{", b"[" * 500)


def mutate(data: bytes, rng: random.Random, fragments: Sequence[bytes] = _TEXTS) -> bytes:
    """Return data with one to four pieces of damage.

    Args:
        data: A whole file.
        rng: Decides everything, so that a seed makes the same file again.
        fragments: What is put in, besides odd numbers in place of numbers.
    """
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        if not changed:
            return bytes(changed)
        rng.choice(_DAMAGES)(changed, rng, fragments)
    return bytes(changed)


def _flip(data: bytearray, rng: random.Random, _: Sequence[bytes]) -> None:
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _set(data: bytearray, rng: random.Random, _: Sequence[bytes]) -> None:
    data[rng.randrange(len(data))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))


def _cut(data: bytearray, rng: random.Random, _: Sequence[bytes]) -> None:
    del data[rng.randrange(len(data)) :]


def _remove(data: bytearray, rng: random.Random, _: Sequence[bytes]) -> None:
    start = rng.randrange(len(data))
    del data[start : start + rng.choice((1, 4, 64, 1024))]


def _repeat(data: bytearray, rng: random.Random, _: Sequence[bytes]) -> None:
    start = rng.randrange(len(data))
    piece = bytes(data[start : start + rng.choice((1, 4, 64, 1024))])
    data[start:start] = piece * rng.choice((1, 2, 50))


def _insert(data: bytearray, rng: random.Random, fragments: Sequence[bytes]) -> None:
    place = rng.randrange(len(data))
    data[place:place] = rng.choice(fragments)


def _lengthen(data: bytearray, rng: random.Random, _: Sequence[bytes]) -> None:
    """Overwrite what may be a length or an offset."""
    place = rng.randrange(len(data))
    size = rng.choice((2, 4, 8))
    value = rng.choice((0, 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, rng.randrange(2**16)))
    data[place : place + size] = (value % 2 ** (8 * size)).to_bytes(
        size, rng.choice(("little", "big"))
    )


def _replace_number(data: bytearray, rng: random.Random, _: Sequence[bytes]) -> None:
    """Replace a number in a text by something else."""
    places = [i for i, byte in enumerate(data[:65_536]) if chr(byte).isdigit()]
    if not places:
        return
    start = end = rng.choice(places)
    while end < len(data) and chr(data[end]) in "0123456789.eE":
        end += 1
    data[start:end] = rng.choice(_ODD_NUMBERS)


_DAMAGES = (_flip, _set, _cut, _remove, _repeat, _insert, _lengthen, _replace_number)
