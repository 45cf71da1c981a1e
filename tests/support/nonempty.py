"""Loops that check something: a loop over nothing would pass whatever the code does."""

from collections.abc import Iterable
from typing import TypeVar

Item = TypeVar("Item")


def nonempty(items: Iterable[Item]) -> list[Item]:
    """Return the items of a loop, and fail where there are none."""
    found = list(items)
    assert found, "there is nothing to check"
    return found
