"""Find catalogue entries by name, file or repository, and convert them to cards."""

from __future__ import annotations

from pathlib import Path

from resnext.class_lists import class_names
from resnext.download import matches
from resnext.errors import ConfigError
from resnext.model.card import ModelCard
from resnext.weights.catalogue import entries, find_entry
from resnext.weights.entry import WeightsEntry
from resnext.weights.fetch import HUB, checksum_of

_DATA = {
    "imagenet1k": "imagenet",
    "cifar10": "cifar10",
    "cifar100": "cifar100",
    "svhn": "svhn",
    "coco90": "coco",
}
_FIGURES = ("top1_error", "box_ap", "mask_ap")


def card_of(entry: WeightsEntry) -> ModelCard:
    """Return an entry as the card of its weights."""
    known = ((name, getattr(entry, name)) for name in _FIGURES)
    return ModelCard(
        data=_DATA[entry.classes],
        classes=class_names(entry.classes),
        image_size_px=entry.image_size_px,
        resize_px=entry.resize_px,
        interpolation=entry.interpolation,
        mean=entry.mean,
        std=entry.std,
        task=entry.task,
        metrics={f"published_{name}": value for name, value in known if value is not None},
        source=entry.name,
        licence=entry.licence,
    )


def named_entry(name: str) -> WeightsEntry | None:
    """Return the entry of this name, if there is one."""
    try:
        return find_entry(name)
    except ConfigError:
        return None


def entry_of_repository(repository: str) -> WeightsEntry | None:
    """Return the entry whose file is in this Hub repository, if there is one."""
    start = f"{HUB}{repository}/"
    return next((entry for entry in entries() if entry.address.startswith(start)), None)


def entry_of_file(path: Path) -> WeightsEntry | None:
    """Return the entry that a file was published as, identified by name and checksum."""
    for entry in entries():
        checksum = checksum_of(entry)
        if entry.filename == path.name and checksum is not None:
            return entry if matches(path, checksum) else None
    return None
