"""The class list of ImageNet-5K as a text file that can be published.

It contains no path and no date, so the same sets always give the same bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from resnext.data.sets.imagenet.layout import is_synset
from resnext.errors import DataError
from resnext.untrusted import parse
from resnext.untrusted.names import shown

Source = Literal["imagenet1k", "full"]
_MAX_BYTES = 8 * 2**20
_NUM_IMAGES = re.compile(r"[0-9]{1,9}")
_COLUMNS = "synset\tsource\tnum_images"
RULE = """\
The {num_own:,} classes of ImageNet-1K and the {num_other:,} largest other synsets of the full set.
1. The size of a synset is the number of image files in its archive or folder.
2. A synset of ImageNet-1K is never one of the others, whatever its size in the full set.
3. Others are taken by size, larger first; of equal sizes the lower synset id comes first.
4. No synset is left out for its place in WordNet: ancestors and descendants of classes of
   ImageNet-1K are others like any. The paper (arXiv 1611.05431, section 5.2) excludes none.
5. Training images: of a class of ImageNet-1K those of its training set, of another synset
   all those of the full set. Validation images: those of ImageNet-1K.
6. The order is that of the synset ids, which is the order of a network's outputs."""


@dataclass(frozen=True)
class ClassRow:
    """One class: its synset, the source of its training images, and their number."""

    synset: str
    source: Source
    num_images: int


@dataclass(frozen=True)
class ClassList:
    """The classes in output order, and facts for the file's header.

    Attributes:
        rows: The classes, sorted by synset.
        num_full_synsets: Synsets of the full set with an image, those of ImageNet-1K included.
        num_full_images: Number of their images.
        num_tied_out: Excluded synsets that are as large as the smallest selected one.
    """

    rows: tuple[ClassRow, ...]
    num_full_synsets: int
    num_full_images: int
    num_tied_out: int

    def of(self, source: Source) -> tuple[ClassRow, ...]:
        """Return the classes of one source."""
        return tuple(row for row in self.rows if row.source == source)


def class_text(classes: ClassList) -> str:
    """Return the file's text."""
    own, others = classes.of("imagenet1k"), classes.of("full")
    smallest = min((row.num_images for row in others), default=0)
    header = [
        *RULE.format(num_own=len(own), num_other=len(others)).splitlines(),
        f"Full set: {classes.num_full_synsets:,} synsets, {classes.num_full_images:,} images.",
        f"ImageNet-1K: {len(own):,} classes, {sum(row.num_images for row in own):,} training "
        "images.",
        f"Others: {len(others):,} classes, {sum(row.num_images for row in others):,} images; the "
        f"smallest has {smallest:,}, and {classes.num_tied_out:,} left out are of that size.",
    ]
    rows = (f"{row.synset}\t{row.source}\t{row.num_images}" for row in classes.rows)
    return "\n".join([*(f"# {line}" for line in header), _COLUMNS, *rows, ""])


def read_text(path: Path) -> str:
    """Read the text of a class list.

    Raises:
        DataError: It cannot be read.
    """
    try:
        return parse.read_text(path, _MAX_BYTES)
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read the class list {path}: {error}") from error


def parse_text(text: str, origin: Path) -> tuple[ClassRow, ...]:
    """Parse a list written by `class_text`.

    Args:
        text: The list.
        origin: Its file, for messages.

    Raises:
        DataError: It is not such a list.
    """
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    if not lines or lines[0] != _COLUMNS:
        raise DataError(
            f"{origin} is not a class list: its first line after the comments must be "
            f"{_COLUMNS.expandtabs(1)!r}, separated by tabs"
        )
    rows = tuple(_read_row(line, origin) for line in lines[1:])
    synsets = [row.synset for row in rows]
    if synsets != sorted(set(synsets)) or not rows:
        raise DataError(f"{origin}: the synsets must be sorted and unique")
    return rows


def _read_row(line: str, origin: Path) -> ClassRow:
    fields = line.split("\t")
    if len(fields) == 3 and is_synset(fields[0]) and _NUM_IMAGES.fullmatch(fields[2]):
        for source in get_args(Source):
            if fields[1] == source:
                return ClassRow(fields[0], source, int(fields[2]))
    raise DataError(
        f"{origin}: {shown(line)} is not a synset, {' or '.join(get_args(Source))}, and a number"
    )
