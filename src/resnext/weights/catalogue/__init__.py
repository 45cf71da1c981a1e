"""The catalogue of published weight files: all entries, and search by name or words.

An entry is named `NETWORK.TAG`. Each publisher has a module with a table, one line per weight file;
entries are built from the tables on first use. Values that a publisher does not state are left out.
"""

from __future__ import annotations

import difflib
from functools import cache

from resnext.errors import ConfigError
from resnext.weights.catalogue import (
    authors,
    mmpretrain,
    pycls,
    pytorchcv,
    timm,
    torchvision,
    torchvision_detection,
)
from resnext.weights.entry import WeightsEntry

_PUBLISHERS = (torchvision, torchvision_detection, timm, authors, pycls, mmpretrain, pytorchcv)


@cache
def entries() -> tuple[WeightsEntry, ...]:
    """Return every entry, publisher by publisher."""
    return tuple(entry for publisher in _PUBLISHERS for entry in publisher.entries())


def find_entry(name: str) -> WeightsEntry:
    """Return the entry of a name.

    Args:
        name: Such as `resnext50_32x4d.a1h_in1k`. Case does not matter.

    Raises:
        ConfigError: No entry has this name; the message lists similar ones.
    """
    text = name.strip().lower()
    known = _by_name()
    if text in known:
        return known[text]
    raise ConfigError(f"weights={name!r}: {not_found(name)}")


def not_found(name: str) -> str:
    """Describe that no entry has a name, and list similar ones."""
    near = _nearest(name.strip().lower(), list(_by_name()))
    nearest = f"; similar names are {', '.join(near)}" if near else ""
    return f"no published weights have this name{nearest}; see `resnext weights list`"


def filter_entries(
    text: str = "", *, network: str | None = None, commercial_only: bool = False
) -> tuple[WeightsEntry, ...]:
    """Return the matching entries, in catalogue order.

    Args:
        text: Each of its words must occur in the name, network, family, licence or class list
            of an entry, or in its task. Case does not matter.
        network: Only files of this architecture, by its canonical name.
        commercial_only: Leave out files whose licence forbids commercial use.
    """
    words = text.lower().split()
    return tuple(
        entry
        for entry in entries()
        if all(word in _searched(entry) for word in words)
        and network in (None, entry.network)
        and not (commercial_only and entry.is_non_commercial)
    )


@cache
def _by_name() -> dict[str, WeightsEntry]:
    return {entry.name: entry for entry in entries()}


def _searched(entry: WeightsEntry) -> str:
    facts = (entry.name, entry.network, entry.family, entry.licence, entry.classes, entry.task)
    return "\n".join(facts).lower()


def _nearest(text: str, known: list[str]) -> list[str]:
    """Return names of the same network or, if there are none, similar names."""
    network = text.partition(".")[0]
    same = [name for name in known if network and name.startswith(f"{network}.")]
    return difflib.get_close_matches(text, same or known, n=4, cutoff=0.0 if same else 0.5)
