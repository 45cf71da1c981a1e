"""Many file names in two memory blocks."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


class PackedNames(Sequence[str]):
    """A sequence of names that worker processes share without copying it.

    A million strings are a million objects whose reference counts every reader changes, so each
    worker would soon have a copy of all their pages. Here a name takes its bytes plus eight, in
    read-only memory or in a mapped file.

    Attributes:
        text: The concatenated names in UTF-8, uint8.
        ends_n: End of each name, int64.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        builder = NameBuilder()
        builder.add(names)
        self.text, self.ends_n = builder.arrays()
        self._chosen: NDArray[np.int64] | None = None

    @classmethod
    def of(
        cls, text: NDArray[Any], ends_n: NDArray[Any], chosen: NDArray[np.int64] | None = None
    ) -> PackedNames:
        """Wrap blocks of memory, which are not copied.

        Args:
            text: The concatenated names in UTF-8.
            ends_n: End of each name.
            chosen: The names to keep, in order; None for all.
        """
        names = cls.__new__(cls)
        names.text, names.ends_n, names._chosen = text, ends_n, chosen
        return names

    def choose(self, indices_n: NDArray[np.int64]) -> PackedNames:
        """Return some of the names; their text is shared."""
        chosen = indices_n if self._chosen is None else self._chosen[indices_n]
        return PackedNames.of(self.text, self.ends_n, chosen)

    def __len__(self) -> int:
        return len(self.ends_n) if self._chosen is None else len(self._chosen)

    # A slice is never asked for.
    def __getitem__(self, index: int) -> str:  # type: ignore[override]  # no slices
        if not 0 <= index < len(self):
            raise IndexError(index)
        number = index if self._chosen is None else int(self._chosen[index])
        start = int(self.ends_n[number - 1]) if number else 0
        encoded = self.text[start : int(self.ends_n[number])].tobytes()
        return encoded.decode("utf-8", "surrogateescape")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or len(other) != len(self):
            return False
        return all(one == two for one, two in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # as a list: too long to hash by value


class NameBuilder:
    """Collects names without memory overhead."""

    def __init__(self) -> None:
        self._text = bytearray()
        self._ends = array("q")

    def __len__(self) -> int:
        return len(self._ends)

    def add(self, names: Iterable[str]) -> None:
        """Append names."""
        for name in names:
            self._text += name.encode("utf-8", "surrogateescape")
            self._ends.append(len(self._text))

    def arrays(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Return the text and the ends, without copying them; nothing can be added after."""
        return np.frombuffer(self._text, np.uint8), np.frombuffer(self._ends, np.int64)
