"""The weights that training started from, and their licence."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from resnext.runs.config import TrainConfig
from resnext.weights.entry_card import entry_of_repository, named_entry
from resnext.weights.fetch import HUB
from resnext.weights.hub_file import is_repository


@dataclass(frozen=True)
class Origin:
    """Where weights come from.

    Attributes:
        weights: Name of the weights that training started from; empty if it started from scratch.
        licence: Their licence; empty if unknown.
        repository: Their repository on the Hub; empty if they have none.
    """

    weights: str = ""
    licence: str = ""
    repository: str = ""


def origin_of(training: TrainConfig | None) -> Origin:
    """Return the weights that a network was trained from.

    Args:
        training: The settings of its run, if there is a run.
    """
    if training is None or training.weights is None:
        return Origin()
    # Paths on this machine mean nothing elsewhere, so only their last part is used.
    path = training.weights
    name = path.name if path.is_absolute() or path.exists() else str(path)
    repository = name.removeprefix(HUB).partition("@")[0]
    entry = named_entry(name) or entry_of_repository(repository)
    if entry is not None:
        repository = entry.address.removeprefix(HUB).rpartition("/")[0]
        is_hub = entry.address.startswith(HUB)
        return Origin(entry.name, entry.licence, repository if is_hub else "")
    is_hub = is_repository(repository) and not Path(name).exists()
    return Origin(repository if is_hub else name, "", repository if is_hub else "")
