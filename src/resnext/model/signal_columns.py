"""Columns of the tables that a network was trained on."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field

from resnext.settings import Settings

Name = Annotated[str, Field(max_length=1_000)]


class SignalColumns(Settings):
    """Columns that were named for training; None for those found by their common names.

    Attributes:
        label: The class, or one column for each label.
        split: train, val or test.
        series: Identifies the series of a row, in a table with a row for each step.
        time: Orders the rows of a series.
        text: The text.
    """

    label: Name | tuple[Name, ...] | None = None
    split: Name | None = None
    series: Name | None = None
    time: Name | None = None
    text: Name | None = None

    def if_any(self) -> Self | None:
        """Return None if no column was named."""
        return None if self == type(self)() else self
