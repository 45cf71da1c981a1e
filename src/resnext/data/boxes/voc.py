"""Pascal VOC's XML: a file for each image.

Coordinates count from 1 in VOC and the last pixel belongs to the box, but many programs write them
from 0; which it is follows from the smallest ones. Source: the development kit of VOC 2012.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from resnext.data.boxes.box_set import BoxImage, BoxSet, Findings
from resnext.data.boxes.clean import Objects, clean_box, note_repeated
from resnext.data.boxes.voc_names import ImageFinder, last_part, read_splits
from resnext.data.decode.image import Photo, read_file
from resnext.errors import DataError
from resnext.untrusted.names import check_file_name, shown
from resnext.untrusted.parse import read_bytes

_MAX_XML_BYTES = 2**22
_SIDES = ("xmin", "ymin", "xmax", "ymax")
_MAX_SIDE = 2**20


@dataclass(frozen=True)
class _File:
    """One XML file as it was read: its image, its width and height, and objects with corners."""

    path: Path
    image: str
    size: tuple[int, int] | None
    objects: Sequence[tuple[str, tuple[float, ...], bool]]


def load_voc(root: Path) -> BoxSet:
    """Read `Annotations/`, `JPEGImages/` and, if they are there, `ImageSets/Main/*.txt`.

    Raises:
        DataError: There are no such files, or one is damaged.
    """
    folder = next((p for p in (root / "Annotations", root / "annotations") if p.is_dir()), root)
    paths = sorted(folder.glob("[!.]*.xml"))
    if not paths:
        raise DataError(f"{root}: holds no XML files in Annotations, annotations or itself")
    findings = Findings()
    files = {path.stem: _read(path, findings) for path in paths}
    first = _first_coordinate(files.values(), findings)
    classes = tuple(sorted({name for file in files.values() for name, _, _ in file.objects}))
    folders = (root / "JPEGImages", root / "images", root, folder)
    finder = ImageFinder(folders, [file.image for file in files.values()])
    images = {
        stem: image
        for number, (stem, file) in enumerate(files.items())
        if (image := _image(finder, file, number, classes, first, findings)) is not None
    }
    splits = read_splits(root, images, findings)
    return BoxSet(root.name, classes, splits, findings.result())


def _read(path: Path, findings: Findings) -> _File:
    try:
        data = read_bytes(path, _MAX_XML_BYTES)
        if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
            raise ValueError("declares entities, which no annotation needs")
        if b"\0" in data:  # UTF-16 or UTF-32, in which a declaration would not be found
            raise ValueError("its encoding is not supported; use UTF-8")
        tree = _parse(data)
        name = last_part((tree.findtext("filename") or "").strip())
        check_file_name(name := name or f"{path.stem}.jpg")
        size = _size(tree)
    except (OSError, ValueError, ET.ParseError) as error:
        raise DataError(f"{path}: is not Pascal VOC's XML: {error}") from None
    if size is not None and not all(0 < side <= _MAX_SIDE for side in size):
        raise DataError(f"{path}: an image cannot have {size[0]}x{size[1]} pixels")
    objects = []
    for number, item in enumerate(tree.findall("object")):
        label = (item.findtext("name") or "").strip()
        try:
            corners = tuple(float(item.findtext(f"bndbox/{side}") or "") for side in _SIDES)
        except ValueError:
            findings.add("boxes that are not four numbers, left out", f"{path.name}: {number}")
            continue
        if not label:
            findings.add("boxes without a name, left out", f"{path.name}: {number}")
            continue
        is_hard = (item.findtext("difficult") or "").strip() == "1"
        objects.append((label, corners, is_hard))
    return _File(path, name, size, objects)


def _parse(data: bytes) -> ET.Element:
    """Return the element `annotation`; names have no namespace."""
    try:
        tree = ET.fromstring(data)
    except LookupError:
        raise ValueError("declares an encoding that is not known; use UTF-8") from None
    for element in tree.iter():
        element.tag = element.tag.rpartition("}")[2]
    if all(tree.find(name) is None for name in ("filename", "size", "object")):
        raise ValueError("it has neither a filename nor a size nor an object")
    return tree


def _size(tree: ET.Element) -> tuple[int, int] | None:
    """Return width and height, or None where neither is recorded."""
    texts = [(tree.findtext(f"size/{side}") or "").strip() for side in ("width", "height")]
    if not any(texts):
        return None
    try:
        width, height = map(float, texts)
    except ValueError:
        width = height = math.nan
    if not (width.is_integer() and height.is_integer()):
        raise ValueError(
            "width and height in size must be whole numbers of pixels, not "
            f"{shown(texts[0])} and {shown(texts[1])}"
        )
    return int(width), int(height)


def _first_coordinate(files: Iterable[_File], findings: Findings) -> int:
    """Return the number of the first pixel: 0 where a box begins there."""
    corners = [corners for file in files for _, corners, _ in file.objects]
    first = 0 if any(min(box[:2]) < 1 for box in corners) else 1
    if corners:
        text = f"coordinates that count from {first}, as their smallest ones tell"
        findings.add(text, f"{len(corners):,} boxes", is_wrong=False)
    return first


def _image(
    finder: ImageFinder,
    file: _File,
    number: int,
    classes: Sequence[str],
    first: int,
    findings: Findings,
) -> BoxImage | None:
    """Return an image with its boxes; VOC's difficult objects count neither way."""
    path = finder.find(file.path, file.image, findings)
    if path is None:
        return None
    size = file.size or _size_of(path, findings)
    if size is None:
        return None
    objects = Objects()
    for row, (name, (left, top, right, bottom), is_hard) in enumerate(file.objects):
        corners = (left - first, top - first, right, bottom)
        place = f"{file.path.name}: object {row}"
        box = clean_box(corners, *size, findings, place)
        if box is None:
            continue
        if is_hard:
            findings.add("difficult objects, which count neither way", place, is_wrong=False)
        objects.add(box, classes.index(name), is_crowd=is_hard)
    if not objects.boxes:
        findings.add("images without boxes, kept", file.path.name, is_wrong=False)
    note_repeated(objects, findings, file.path.name)
    return objects.image(path, number, *size)


def _size_of(path: Path, findings: Findings) -> tuple[int, int] | None:
    """Read the size of an image whose XML file does not record it."""
    try:
        size = Photo(read_file(path)).size
    except DataError as error:
        findings.add("images that cannot be read, left out", f"{path.name}: {error}")
        return None
    findings.add("images whose size is not in their XML, read from them", path.name, is_wrong=False)
    return size
