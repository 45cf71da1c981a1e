"""A family of files: whose names its tensors carry, as a table from their modules to ours.

A row of a table pairs our module with theirs; `{s}` stands for the number of a stage and
`{b}` for that of a block, counted from the family's own first number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from resnext.weights.entry import Family

TENSORS = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
"""What a module's tensors are called, in PyTorch and here."""

Row = tuple[str, str]


@dataclass(frozen=True)
class KeyFamily:
    """How one library names the tensors of a residual network.

    Attributes:
        name: The library.
        table: Rows of our module and theirs. Two rows may name the same module of ours, where
            the library has two kinds of stem.
        first_stage: Their number of the first stage (ours is 1).
        first_block: Their number of a stage's first block (ours is 0).
        ignored: Beginnings of names that belong to no network of ours and change nothing in
            it, such as the rest of a detector.
        is_bgr: Their networks take blue, green, red; the first convolution's channels are
            turned round, so that ours take red, green, blue.
    """

    name: Family
    table: tuple[Row, ...]
    first_stage: int = 1
    first_block: int = 0
    ignored: tuple[str, ...] = ()
    is_bgr: bool = False

    def to_ours(self, key: str) -> str | None:
        """Return our name of a tensor, or None where the table has no row for it."""
        module, _, tensor = key.rpartition(".")
        if tensor not in TENSORS:
            return None
        for pattern, ours in self._patterns:
            if match := pattern.fullmatch(module):
                return self._numbered(ours, match.groupdict(), tensor)
        return None

    def _numbered(self, ours: str, numbers: dict[str, str], tensor: str) -> str | None:
        """Write our module's name with our numbers; None if theirs precede their first."""
        if not numbers:
            return f"{ours}.{tensor}"
        stage, block = int(numbers["s"]) - self.first_stage, int(numbers["b"]) - self.first_block
        if stage < 0 or block < 0:
            return None
        return f"{ours.format(s=stage + 1, b=block)}.{tensor}"

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], str]]:
        return [(_pattern(theirs), ours) for ours, theirs in self.table]


def _pattern(theirs: str) -> re.Pattern[str]:
    text = re.escape(theirs)
    for part in "sb":
        text = text.replace(rf"\{{{part}\}}", rf"(?P<{part}>\d{{1,4}})")
    return re.compile(text)


def canonical_rows(prefix: str = "") -> tuple[Row, ...]:
    """Return the rows of a library that uses our names, which are torchvision's."""
    return tuple((module, prefix + module) for module in _MODULES)


_BLOCK = "layer{s}.{b}."
_MODULES = (
    "conv1",
    "bn1",
    "norm",
    *(f"{_BLOCK}{layer}{number}" for number in (1, 2, 3) for layer in ("conv", "bn")),
    f"{_BLOCK}downsample.0",
    f"{_BLOCK}downsample.1",
    "fc",
)
