"""Which images the XML files and the lists of Pascal VOC mean by the names in them.

Programs write names with folders or another extension, and leave the name of a copied file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from resnext.data.boxes.box_set import SPLITS, BoxImage, Findings
from resnext.data.decode.image_names import is_image_name
from resnext.errors import DataError
from resnext.untrusted.names import shown
from resnext.untrusted.parse import read_text

_MAX_LIST_BYTES = 2**26
_SEPARATOR = re.compile(r"[/\\]")
_NUMBER = re.compile(r"\s+(-1|0|1)$")


def last_part(name: str) -> str:
    """Return what follows the last separator in a path of any system."""
    return _SEPARATOR.split(name)[-1]


class ImageFinder:
    """Finds the images of XML files."""

    def __init__(self, folders: Sequence[Path], named: Iterable[str]) -> None:
        """Take where the images may lie, the likeliest first, and all names in the XML files."""
        self._folders, self._counts = folders, Counter(named)
        self._found: set[Path] = set()

    def find(self, xml: Path, named: str, findings: Findings) -> Path | None:
        """Return the image of an XML file: the one it names, or else the one of its own name.

        Args:
            xml: The file.
            named: The image that it names.
            findings: Collects what was wrong.
        """
        place = f"{xml.name}: {named}"
        path = self._named(xml, named)
        is_shared = self._counts[named] > 1 and xml.stem != _stem(named)
        if path is None:
            stems = (xml.stem, _stem(named)) if is_shared else (_stem(named), xml.stem)
            path = next((self._by_stem[stem] for stem in stems if stem in self._by_stem), None)
            if path is not None:
                text = "XML files whose image has another name than they tell"
                findings.add(text, place, is_wrong=False)
        elif is_shared and (own := self._by_stem.get(xml.stem)) is not None:
            findings.add("XML files with the name of another one's image, given their own", place)
            path = own
        if path is None:
            findings.add("images whose file is missing, left out", place)
        elif path in self._found:
            findings.add("images that several XML files name, kept", place)
        else:
            self._found.add(path)
        return path

    def _named(self, xml: Path, named: str) -> Path | None:
        names = (named, f"{xml.stem}{Path(named).suffix}")
        found = (folder / name for folder in self._folders for name in names)
        return next((path for path in found if path.is_file()), None)

    @cached_property
    def _by_stem(self) -> Mapping[str, Path]:
        """Images by their names without extension."""
        images: dict[str, Path] = {}
        for folder in self._folders:
            with suppress(OSError):  # also one that does not exist
                for path in sorted(folder.iterdir()):
                    if is_image_name(path.name) and path.is_file():
                        images.setdefault(path.stem, path)
        return images


def read_splits(
    root: Path, images: Mapping[str, BoxImage], findings: Findings
) -> Mapping[str, tuple[BoxImage, ...]]:
    """Return the splits that `ImageSets/Main` lists; without it all images are `train`.

    An empty list is no split.

    Args:
        root: The folder.
        images: By the names of their XML files, without extension.
        findings: Collects what was wrong.

    Raises:
        DataError: A list cannot be read, or names an image that is not there.
    """
    splits = {}
    for split in SPLITS:
        path = root / "ImageSets" / "Main" / f"{split}.txt"
        if path.is_file():
            stems = _read_list(path, images, findings)
            splits[split] = tuple(images[stem] for stem in stems)
    filled = {split: listed for split, listed in splits.items() if listed}
    return filled or splits or {"train": tuple(images.values())}


def _read_list(path: Path, images: Mapping[str, BoxImage], findings: Findings) -> list[str]:
    try:
        lines = [line.strip() for line in read_text(path, _MAX_LIST_BYTES).splitlines()]
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from None
    stems: dict[str, int] = {}
    missing = []
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        stem = next((name for name in _meant_by(line) if name in images), None)
        if stem is None:
            missing.append(line)
        elif stems.setdefault(stem, number) != number:
            place = f"{path.name}: line {number}"
            findings.add("images that a list names twice, counted once", place)
    if missing:
        raise DataError(
            f"{path}: lists {len(missing):,} images that have no XML file or no image, first "
            f"{shown(missing[0])}"
        )
    return list(stems)


def _meant_by(line: str) -> Iterator[str]:
    """Yield the names that a line of a list may mean; VOC's lists of a class have 1, 0 or -1 after.

    Names may hold blanks, so the longest one is tried first.
    """
    for text in (line, _NUMBER.sub("", line), line.split()[0]):
        for name in (text, last_part(text)):
            yield name
            yield _stem(name)


def _stem(name: str) -> str:
    """Return a name without the extension of an image or an XML file."""
    has_extension = is_image_name(name) or name.lower().endswith(".xml")
    return name.rpartition(".")[0] if has_extension else name
