"""Opens weights by name or path: a run, a file, a catalogue entry, a Hub repository."""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from pathlib import Path

from resnext.download import Progress
from resnext.errors import CheckpointError, ConfigError
from resnext.foreign_file import reason
from resnext.model.names import name_of, parse_name
from resnext.untrusted.names import with_home
from resnext.weights.assumed import check_padding
from resnext.weights.catalogue import not_found
from resnext.weights.entry import WeightsEntry
from resnext.weights.entry_card import card_of, entry_of_repository, named_entry
from resnext.weights.families.family import Padding
from resnext.weights.fetch import HUB, fetch
from resnext.weights.file import (
    HUB_CONFIG,
    HUB_WEIGHTS,
    SUFFIXES,
    Weights,
    open_file,
    open_folder,
)
from resnext.weights.foreign_kind import SUFFIXES as EXPORTED_SUFFIXES
from resnext.weights.hub_file import NoSuchHubFileError, hub_file, is_repository

__all__ = ["Weights", "open_file", "open_folder", "open_weights"]


def open_weights(
    name_or_path: str | os.PathLike[str],
    *,
    shortcut_padding: Padding | None = None,
    accept_licence: bool = False,
    progress: Progress | None = None,
) -> Weights:
    """Find weights, download them if needed, and read them.

    Args:
        name_or_path: A run folder; a file of any known family; a folder that `save_pretrained`
            wrote; a catalogue name, such as `resnext50_32x4d.a1h_in1k`; or a repository on the
            Hugging Face Hub, OWNER/NAME, also as `hf-hub:OWNER/NAME@REVISION`.
        shortcut_padding: Where type A shortcuts in files of other libraries pad zeros: `end`, after
            the channels, or `both`, half before and half after. Files of this package specify it.
        accept_licence: Also download weights that may not be used commercially.
        progress: Called with the bytes downloaded so far and the total.

    Returns:
        The weights, with all tensors matched.

    Raises:
        CheckpointError: The file is damaged, of no known family, or incomplete.
        ConfigError: Nothing with this name exists.
        DownloadError: It cannot be downloaded.
        LicenceError: Its licence was not accepted.
    """
    check_padding(shortcut_padding)
    name = with_home(name_or_path)
    path = Path(name)
    if _exists(path):
        opener = open_folder if path.is_dir() else open_file
        return opener(path, shortcut_padding=shortcut_padding)
    repository = name.removeprefix(HUB)
    entry = named_entry(name) or entry_of_repository(repository)
    if entry is not None:
        return _from_entry(entry, fetch(entry, accept_licence=accept_licence, progress=progress))
    if name != repository or _may_be_on_hub(path):
        return _from_hub(repository, shortcut_padding)
    if len(path.parts) > 1 or path.suffix in SUFFIXES | EXPORTED_SUFFIXES:
        raise CheckpointError(
            f"{name}: there is no such file or folder; give a run, a weight file, a name that "
            "`resnext weights list` shows, or OWNER/NAME on the Hugging Face Hub"
        )
    raise ConfigError(f"{name}: there is no such file or folder here; {not_found(name)}")


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:  # a folder on the way that may not be entered, or an endless name
        raise CheckpointError(
            f"{path}: cannot be read ({reason(error)}); check its name and its permissions"
        ) from None


def _may_be_on_hub(path: Path) -> bool:
    """Return whether a missing path could be meant as OWNER/NAME.

    A name in an existing folder, or in one for runs and trials, is a path.
    """
    own = path.parent.name in ("runs", "studies")
    return is_repository(str(path)) and not own and not path.parent.exists()


def _from_entry(entry: WeightsEntry, file: Path) -> Weights:
    """Open the file of an entry, and check that it contains the entry's network."""
    weights = replace(open_file(file, card_of(entry)), name=entry.name)
    if name_of(weights.config) != name_of(parse_name(entry.network)):
        raise CheckpointError(
            f"{file}: contains {name_of(weights.config)}, but {entry.name} is {entry.network}; "
            "remove the file and download it again"
        )
    return weights


def _from_hub(name: str, shortcut_padding: Padding | None) -> Weights:
    """Open OWNER/NAME or OWNER/NAME@REVISION on the Hub."""
    repository, _, revision = name.partition("@")
    if not is_repository(repository):
        raise ConfigError(f"{HUB}{name}: a repository on the Hub is written {HUB}OWNER/NAME")
    for filename in HUB_WEIGHTS:
        try:
            path = hub_file(repository, filename, revision or None)
        except NoSuchHubFileError:
            continue
        with contextlib.suppress(NoSuchHubFileError):
            hub_file(repository, HUB_CONFIG, revision or None)  # read beside the weights
        found = open_file(path, shortcut_padding=shortcut_padding)
        return replace(found, name=repository, card=found.card.replace(source=repository))
    raise CheckpointError(f"{repository}: contains none of {', '.join(HUB_WEIGHTS)}")
