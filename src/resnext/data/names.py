"""Many file names in one block of memory."""

from __future__ import annotations

from collections.abc import Sequence

import torch


class PackedNames:
    """A sequence of names that worker processes share without copying it.

    A million strings are a million objects whose reference counts every reader touches,
    so each worker would soon own a copy of all their pages.
    """

    def __init__(self, names: Sequence[str]) -> None:
        encoded = [name.encode("utf-8", "surrogateescape") for name in names]
        lengths = torch.tensor([len(name) for name in encoded], dtype=torch.int64)
        self._ends = lengths.cumsum(0)
        self._bytes = torch.frombuffer(bytearray(b"".join(encoded) or b"\0"), dtype=torch.uint8)

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, index: int) -> str:
        start = int(self._ends[index - 1]) if index else 0
        encoded = self._bytes[start : int(self._ends[index])].numpy().tobytes()
        return encoded.decode("utf-8", "surrogateescape")
