"""A family of weight files: a table from a library's module names to ours.

A row of a table pairs our module with theirs; `{s}` stands for the number of a stage and `{b}` for
that of a block, counted from the family's own first number, `{p}` for that of a path and `{n}` for
any number. Anything before a name (`module.`, `backbone.`, ...) is its prefix.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from resnext.weights.entry import Family

TENSORS = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
"""Names of a module's tensors, in PyTorch and here."""

Row = tuple[str, str]

Padding = Literal["end", "both"]
"""Where a type A shortcut pads zero channels: after the others, or half before them."""


@dataclass(frozen=True)
class KeyFamily:
    """How one library names the tensors of a residual network.

    Attributes:
        name: The library.
        table: Rows of our module and theirs. Two rows may have the same module of ours if the
            library has two names for it.
        first_stage: Their number of the first stage (ours is 1).
        first_block: Their number of a stage's first block (ours is 0).
        is_bgr: Their networks take blue, green, red; the first convolution's channels are reversed,
            so that ours take red, green, blue.
        padding: Padding of type A shortcuts in their code; None if it has none.
    """

    name: Family
    table: tuple[Row, ...]
    first_stage: int = 1
    first_block: int = 0
    is_bgr: bool = False
    padding: Padding | None = None

    def match(self, module: str) -> tuple[str, str] | None:
        """Return a module's prefix and our name for it, or None if the table has no row."""
        for pattern, ours in self._patterns.get(module.rpartition(".")[2], ()):
            if match := pattern.fullmatch(module):
                prefix, name = match["prefix"], self._numbered(ours, match.groupdict())
                return None if name is None else (prefix, name)
        return None

    @cached_property
    def stems(self) -> tuple[str, ...]:
        """Their names of the first convolution; a file of the family has one of them."""
        return tuple(theirs for ours, theirs in self.table if ours == "conv1")

    def _numbered(self, ours: str, groups: dict[str, str]) -> str | None:
        """Return our module's name with our numbers; None if theirs precede their first."""
        if "s" not in groups:
            return ours
        stage, block = int(groups["s"]) - self.first_stage, int(groups["b"]) - self.first_block
        if stage < 0 or block < 0:
            return None
        return ours.format(s=stage + 1, b=block, p=int(groups.get("p") or 0))

    @cached_property
    def _patterns(self) -> dict[str, list[tuple[re.Pattern[str], str]]]:
        """Return the rows by the last part of their names, so that few are tried for each name."""
        # Those of blocks come first: a block's conv1 is not the stem of a network of its own.
        rows = sorted(self.table, key=lambda row: "{s}" not in row[1])
        patterns: dict[str, list[tuple[re.Pattern[str], str]]] = {}
        for ours, theirs in rows:
            patterns.setdefault(theirs.rpartition(".")[2], []).append((_pattern(theirs), ours))
        return patterns


def _pattern(theirs: str) -> re.Pattern[str]:
    text = re.escape(theirs)
    for part in "sbp":
        text = text.replace(rf"\{{{part}\}}", rf"(?P<{part}>\d{{1,4}})")
    text = text.replace(r"\{n\}", r"\d{1,4}")
    return re.compile(rf"(?P<prefix>(?:.*\.)?){text}", re.DOTALL)


def in_blocks(prefix: str, layers: tuple[Row, ...]) -> tuple[Row, ...]:
    """Return rows of the layers of a block.

    Args:
        prefix: Their name of a block, such as `stage{s}.unit{b}.`.
        layers: Our layer and theirs.
    """
    return tuple((f"layer{{s}}.{{b}}.{ours}", prefix + theirs) for ours, theirs in layers)
