"""Finds the files of signals in folders."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from resnext.data.decode.audio import AUDIO_ENDINGS
from resnext.data.sets.nifti import NIFTI_SUFFIXES
from resnext.data.sets.series.read import SERIES_SUFFIXES
from resnext.data.sets.text.table import TABLE_SUFFIXES
from resnext.errors import DataError
from resnext.inference.files import find_images
from resnext.untrusted.names import list_names

_ENDINGS: dict[str, tuple[str, ...]] = {
    "audio": tuple(sorted(AUDIO_ENDINGS)),
    "series": SERIES_SUFFIXES,
    "text": (*TABLE_SUFFIXES, ".txt"),
    "volume": (*NIFTI_SUFFIXES, ".npz"),
}


def find_signals(paths: Iterable[Path], kind: str) -> Iterator[Path]:
    """Walk through files and folders, and yield the files of signals one by one.

    A given file is always yielded. A folder is searched as `find_images` does; one without such a
    file is yielded itself, so that it is not passed over in silence.

    Args:
        paths: Files and folders.
        kind: Kind of the signals: audio, series, text or volume.
    """

    def accepts(entry: os.DirEntry[str]) -> bool:
        name = entry.name
        is_one = name.lower().endswith(_ENDINGS[kind]) and not name.startswith(".")
        return is_one and entry.is_file()

    for path in paths:
        found = find_images([path], accepts=accepts)
        yield from chain([next(found, path)], found)


def refuse_folder(path: Path, kind: str) -> None:
    """Refuse a folder that `find_signals` returned.

    Raises:
        DataError: It is one; the message is only the reason.
    """
    if path.is_dir():
        raise DataError(f"a folder without files that end in {list_names(_ENDINGS[kind])}")
