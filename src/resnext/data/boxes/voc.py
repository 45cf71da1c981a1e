"""Pascal VOC's XML: a file for each image.

Coordinates count from 1 in VOC and the last pixel belongs to the box, but many programs write them
from 0; which it is follows from the smallest ones. Source: the development kit of VOC 2012.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from resnext.data.boxes.box_set import BoxImage, BoxSet, Findings
from resnext.data.boxes.clean import Objects, clean_box, note_repeated
from resnext.errors import DataError
from resnext.untrusted.names import check_file_name, shown
from resnext.untrusted.parse import read_bytes, read_text

_MAX_XML_BYTES = 2**22
_MAX_LIST_BYTES = 2**26
_SIDES = ("xmin", "ymin", "xmax", "ymax")
_MAX_SIDE = 2**20


@dataclass(frozen=True)
class _File:
    """One XML file as it was read: its image, and the objects with their corners."""

    path: Path
    image: str
    width: int
    height: int
    objects: Sequence[tuple[str, tuple[float, ...], bool]]


def load_voc(root: Path) -> BoxSet:
    """Read `Annotations/`, `JPEGImages/` and, if they are there, `ImageSets/Main/*.txt`.

    Raises:
        DataError: There are no such files, or one is damaged.
    """
    folder = next((p for p in (root / "Annotations", root / "annotations") if p.is_dir()), root)
    paths = sorted(folder.glob("*.xml"))
    if not paths:
        raise DataError(f"{root}: holds no XML files in Annotations, annotations or itself")
    findings = Findings()
    files = {path.stem: _read(path, findings) for path in paths}
    first = _first_coordinate(files.values(), findings)
    classes = tuple(sorted({name for file in files.values() for name, _, _ in file.objects}))
    images = {
        stem: image
        for number, (stem, file) in enumerate(files.items())
        if (image := _image(root, file, number, classes, first, findings)) is not None
    }
    return BoxSet(root.name, classes, _splits(root, images), findings.result())


def _read(path: Path, findings: Findings) -> _File:
    try:
        data = read_bytes(path, _MAX_XML_BYTES)
        if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
            raise ValueError("declares entities, which no annotation needs")
        if b"\0" in data:  # UTF-16 or UTF-32, in which a declaration would not be found
            raise ValueError("its encoding is not supported; use UTF-8")
        tree = _parse(data)
        name = check_file_name((tree.findtext("filename") or f"{path.stem}.jpg").strip())
        width, height = (int(tree.findtext(f"size/{side}") or "") for side in ("width", "height"))
    except (OSError, ValueError, ET.ParseError) as error:
        raise DataError(f"{path}: is not Pascal VOC's XML: {error}") from None
    if not (0 < width <= _MAX_SIDE and 0 < height <= _MAX_SIDE):
        raise DataError(f"{path}: an image cannot have {width}x{height} pixels")
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
    return _File(path, name, width, height, objects)


def _parse(data: bytes) -> ET.Element:
    try:
        return ET.fromstring(data)
    except LookupError:
        raise ValueError("declares an encoding that is not known; use UTF-8") from None


def _first_coordinate(files: Iterable[_File], findings: Findings) -> int:
    """Return the number of the first pixel: 0 where a box begins there."""
    corners = [corners for file in files for _, corners, _ in file.objects]
    first = 0 if any(min(box[:2]) < 1 for box in corners) else 1
    if corners:
        text = f"coordinates that count from {first}, as their smallest ones tell"
        findings.add(text, f"{len(corners):,} boxes", is_wrong=False)
    return first


def _image(
    root: Path,
    file: _File,
    number: int,
    classes: Sequence[str],
    first: int,
    findings: Findings,
) -> BoxImage | None:
    """Return an image with its boxes; VOC's difficult objects count neither way."""
    path = _find(root, file)
    if path is None:
        findings.add("images whose file is missing, left out", f"{file.path.name}: {file.image}")
        return None
    objects = Objects()
    for row, (name, (left, top, right, bottom), is_hard) in enumerate(file.objects):
        corners = (left - first, top - first, right, bottom)
        place = f"{file.path.name}: object {row}"
        box = clean_box(corners, file.width, file.height, findings, place)
        if box is None:
            continue
        if is_hard:
            findings.add("difficult objects, which count neither way", place, is_wrong=False)
        objects.add(box, classes.index(name), is_crowd=is_hard)
    if not objects.boxes:
        findings.add("images without boxes, kept", file.path.name, is_wrong=False)
    note_repeated(objects, findings, file.path.name)
    return objects.image(path, number, file.width, file.height)


def _find(root: Path, file: _File) -> Path | None:
    folders = (root / "JPEGImages", root / "images", root, file.path.parent)
    names = (file.image, f"{file.path.stem}{Path(file.image).suffix}")
    found = (path for folder in folders for name in names if (path := folder / name).is_file())
    return next(found, None)


def _splits(root: Path, images: Mapping[str, BoxImage]) -> Mapping[str, tuple[BoxImage, ...]]:
    """Return the splits that `ImageSets/Main` lists; without it all images are `train`."""
    splits = {}
    for split in ("train", "val", "test"):
        path = root / "ImageSets" / "Main" / f"{split}.txt"
        if not path.is_file():
            continue
        try:
            lines = [line.split() for line in read_text(path, _MAX_LIST_BYTES).splitlines()]
        except (OSError, ValueError) as error:
            raise DataError(f"{path}: cannot be read: {error}") from None
        stems = [words[0] for words in lines if words]
        if missing := [stem for stem in stems if stem not in images]:
            raise DataError(
                f"{path}: lists {len(missing):,} images that have no XML file or no image, first "
                f"{shown(missing[0])}"
            )
        splits[split] = tuple(images[stem] for stem in stems)
    return splits or {"train": tuple(images.values())}
