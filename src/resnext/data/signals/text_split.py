"""A split of texts: token numbers for the network, and the texts themselves for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import torch

from resnext.data.signals.split import SignalSplit
from resnext.data.signals.tokens import encode_texts
from resnext.model.signal import SignalInput


@dataclass(frozen=True)
class TextSplit(SignalSplit):
    """Texts as int32 numbers of tokens, n x 1 x l.

    Attributes:
        texts: The texts, normalised.
    """

    texts: tuple[str, ...] = ()

    def text(self, index: int) -> str:
        """Return a text."""
        return self.texts[index]

    def encode(self, signal: SignalInput) -> Self:
        """Return the texts numbered by another vocabulary, at another length."""
        assert signal.text is not None
        return replace(self, values_ncx=encode_texts(self.texts, signal.text, signal.size))

    def choose(self, indices_n: torch.Tensor) -> Self:
        """Return the split of some texts."""
        texts = tuple(self.texts[index] for index in indices_n.tolist())
        return replace(super().choose(indices_n), texts=texts)

    def join(self, others: Sequence[Self]) -> Self:
        """Put other splits behind this one."""
        texts = tuple(text for split in (self, *others) for text in split.texts)
        return replace(super().join(others), texts=texts)
