"""The memory that maps take, from the order in which a network makes and uses them."""

from __future__ import annotations

from itertools import accumulate

_BYTES_PER_NUMBER = 4  # float32
_BYTES_PER_INDEX = 8  # int64


class Tape:
    """Notes when each map comes into being, when it is last used, and which training keeps.

    A map is a piece of memory; what is computed in place is no new map. Maps are numbered
    in the order in which they are made, so a number is also a moment.
    """

    def __init__(self) -> None:
        self._sizes: list[int] = []
        self._last_uses: list[int] = []
        self._kept: set[int] = set()
        self._num_indices = 0

    def new(self, size: int, *inputs: int) -> int:
        """Note a map of `size` numbers that is computed from other maps; return its number."""
        moment = len(self._sizes)
        self._sizes.append(size)
        self._last_uses.append(moment)
        self.use(*inputs)
        return moment

    def use(self, *maps: int) -> None:
        """Note that maps are read or changed in place after the newest map was made."""
        for number in maps:
            self._last_uses[number] = len(self._sizes) - 1

    def keep(self, number: int) -> None:
        """Note that the backward pass needs a map."""
        self._kept.add(number)

    def keep_indices(self, size: int) -> None:
        """Note that the backward pass needs `size` positions of a pool's maxima."""
        self._num_indices += size

    def peak_bytes(self) -> int:
        """Return the most bytes of maps that must exist at once."""
        changes = [*self._sizes, 0]
        for number, last_use in enumerate(self._last_uses):
            changes[last_use + 1] -= self._sizes[number]
        return max(accumulate(changes)) * _BYTES_PER_NUMBER

    def kept_bytes(self) -> int:
        """Return the bytes of everything that the backward pass needs."""
        numbers = sum(self._sizes[number] for number in self._kept)
        return numbers * _BYTES_PER_NUMBER + self._num_indices * _BYTES_PER_INDEX
