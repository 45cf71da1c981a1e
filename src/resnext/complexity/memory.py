"""The memory of feature maps, from the order in which a network creates and uses them."""

from __future__ import annotations

from itertools import accumulate

_BYTES_PER_NUMBER = 4  # float32
_BYTES_PER_INDEX = 8  # int64


class Tape:
    """Records when each map is created, when it is last used, and which maps training keeps.

    A map is a block of memory; in-place operations create no map. Maps are numbered in order of
    creation, so a number is also a point in time.
    """

    def __init__(self) -> None:
        self._sizes: list[int] = []
        self._last_uses: list[int] = []
        self._kept: set[int] = set()
        self._num_indices = 0

    def new(self, size: int, *inputs: int) -> int:
        """Record a map of `size` elements computed from other maps; return its number."""
        moment = len(self._sizes)
        self._sizes.append(size)
        self._last_uses.append(moment)
        self.use(*inputs)
        return moment

    def use(self, *maps: int) -> None:
        """Record that maps are read or changed in place after the newest map was created."""
        for number in maps:
            self._last_uses[number] = len(self._sizes) - 1

    def keep(self, number: int) -> None:
        """Record that the backward pass needs a map."""
        self._kept.add(number)

    def keep_indices(self, size: int) -> None:
        """Record that the backward pass needs `size` positions of pooling maxima."""
        self._num_indices += size

    def peak_bytes(self) -> int:
        """Return the peak memory of simultaneous maps in bytes."""
        changes = [*self._sizes, 0]
        for number, last_use in enumerate(self._last_uses):
            changes[last_use + 1] -= self._sizes[number]
        return max(accumulate(changes)) * _BYTES_PER_NUMBER

    def kept_bytes(self) -> int:
        """Return the memory in bytes of everything that the backward pass needs."""
        numbers = sum(self._sizes[number] for number in self._kept)
        return numbers * _BYTES_PER_NUMBER + self._num_indices * _BYTES_PER_INDEX
