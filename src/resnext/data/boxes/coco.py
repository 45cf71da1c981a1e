"""COCO's JSON of images, annotations and categories.

Source: https://cocodataset.org/#format-data; Roboflow's export adds a category for the whole set.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from resnext.data.boxes.box_set import BoxImage, Findings
from resnext.data.boxes.clean import Objects, clean_box, note_repeated
from resnext.data.boxes.polygons import Outline, is_too_long, read_outline
from resnext.errors import DataError
from resnext.untrusted.names import check_relative_path, shown
from resnext.untrusted.parse import read_json

MAX_BYTES = 2**30
"""COCO's largest file has 470 MB."""

MAX_SIDE = 2**20


@dataclass(frozen=True)
class CocoFile:
    """One file as it was read.

    Attributes:
        path: The file.
        images: Its images by their ids: name, width and height.
        categories: Names of the categories by their ids.
        annotations: The boxes by the ids of their images, each with its place in the file.
    """

    path: Path
    images: Mapping[int, tuple[str, int, int]]
    categories: Mapping[int, str]
    annotations: Mapping[int, list[tuple[int, Mapping[str, Any]]]]


def read_coco(path: Path, findings: Findings) -> CocoFile:
    """Read a file; what is wrong with single entries is noted.

    Raises:
        DataError: It cannot be read or is not such a file.
    """
    try:
        values = read_json(path, MAX_BYTES)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read as COCO's JSON: {error}") from None
    if not isinstance(values, dict) or not isinstance(values.get("images"), list):
        raise DataError(
            f"{path}: is not a COCO file: it must be an object with the lists images, "
            "annotations and categories"
        )
    images = _images(path, values["images"], findings)
    rows = _rows(path, values, "annotations")
    annotations: dict[int, list[tuple[int, Mapping[str, Any]]]] = defaultdict(list)
    seen: set[int] = set()
    for number, row in enumerate(rows):
        place = _place(path, "annotations", number)
        image_id, own_id = row.get("image_id"), row.get("id")
        if not _is_id(image_id) or image_id not in images:
            findings.add("boxes of an image that is not listed, left out", place)
            continue
        if _is_id(own_id) and own_id in seen:
            findings.add("annotations with an id that another one has, kept", place)
        if _is_id(own_id):
            seen.add(own_id)
        annotations[image_id].append((number, row))
    categories = _categories(path, _rows(path, values, "categories"), rows)
    return CocoFile(path, images, categories, annotations)


def images_of(
    file: CocoFile, labels: Mapping[int, int], folders: Sequence[Path], findings: Findings
) -> tuple[BoxImage, ...]:
    """Return the images with their boxes.

    Args:
        file: What was read.
        labels: Number of each category's class by its id.
        folders: Where the files may lie.
        findings: Collects what was wrong.
    """
    found = []
    for path, image_ids in _by_file(file, folders, findings).items():
        name, width, height = file.images[image_ids[0]]
        objects = Objects()
        for image_id in image_ids:
            listed = Objects()
            for number, row in file.annotations.get(image_id, ()):
                place = _place(file.path, "annotations", number)
                _add(listed, row, labels, (width, height), findings, place)
            objects.join(listed)
        if not objects.boxes:
            findings.add("images without boxes, kept", name, is_wrong=False)
        note_repeated(objects, findings, name)
        found.append(objects.image(path, image_ids[0], width, height))
    return tuple(found)


def _by_file(
    file: CocoFile, folders: Sequence[Path], findings: Findings
) -> Mapping[Path, Sequence[int]]:
    """Return the ids of the images by their files, which some programs list again for each class.

    Taken as images of their own, they would teach that the objects of the others are background.
    """
    found: dict[Path, list[int]] = {}
    for image_id, (name, *size) in file.images.items():
        place = f"{file.path.name}: {name}"
        path = _find(name, folders)
        if path is None:
            findings.add("images whose file is missing, left out", place)
            continue
        image_ids = found.setdefault(path, [])
        if not image_ids or [*file.images[image_ids[0]][1:]] == size:
            image_ids.append(image_id)
            if len(image_ids) > 1:
                findings.add("images that are listed twice, their boxes joined", place)
        else:
            findings.add("images that are listed twice with two sizes, the first kept", place)
    return found


def _add(
    objects: Objects,
    row: Mapping[str, Any],
    labels: Mapping[int, int],
    size: tuple[int, int],
    findings: Findings,
    place: str,
) -> None:
    category, box = row.get("category_id"), row.get("bbox")
    if not _is_id(category) or category not in labels:
        findings.add("boxes of a category that is not listed, left out", place)
        return
    if not isinstance(box, list) or len(box) != 4 or not all(map(_is_number, box)):
        findings.add("boxes that are not four numbers, left out", place)
        return
    left, top, width, height = map(float, box)
    corners = clean_box((left, top, left + width, top + height), *size, findings, place)
    if corners is None:
        return
    is_crowd = row.get("iscrowd") in (1, True)
    if is_crowd:
        findings.add("crowd regions, which count neither way", place, is_wrong=False)
    area = row.get("area")
    usable = float(area) if _is_number(area) and 0 < area < MAX_SIDE**2 else None
    outline = () if is_crowd else _outline(row.get("segmentation"), size, findings, place)
    objects.add(corners, labels[category], is_crowd=is_crowd, area=usable, outline=outline)


def _outline(value: object, size: tuple[int, int], findings: Findings, place: str) -> Outline:
    outline = read_outline(value)
    width, height = size
    if not is_too_long(outline, height, width):
        return outline
    findings.add("outlines longer than any object's, left out", place)
    return ()


def _images(path: Path, rows: Sequence[Any], findings: Findings) -> dict[int, tuple[str, int, int]]:
    images: dict[int, tuple[str, int, int]] = {}
    for number, row in enumerate(rows):
        place = _place(path, "images", number)
        values = row if isinstance(row, dict) else {}
        image_id, width, height = (values.get(key) for key in ("id", "width", "height"))
        try:
            name = check_relative_path(values.get("file_name"))
        except ValueError as error:
            raise DataError(f"{place}: file_name {error}") from None
        if not _is_id(image_id) or not (_is_side(width) and _is_side(height)):
            raise DataError(
                f"{place}: an image needs a whole number as id and its width and height in pixels; "
                f"found {shown(image_id)}, {shown(width)} and {shown(height)}"
            )
        if image_id in images:
            findings.add("images with an id that another one has, left out", place)
            continue
        images[image_id] = (name, width, height)
    return images


def _categories(
    path: Path, rows: Sequence[Mapping[str, Any]], annotations: Sequence[Mapping[str, Any]]
) -> dict[int, str]:
    used = {row.get("category_id") for row in annotations if _is_id(row.get("category_id"))}
    groups = {row.get("supercategory") for row in rows if isinstance(row.get("supercategory"), str)}
    categories: dict[int, str] = {}
    for number, row in enumerate(rows):
        place = _place(path, "categories", number)
        category, name = row.get("id"), row.get("name")
        if not _is_id(category) or not isinstance(name, str) or not name.strip():
            raise DataError(f"{place}: a category needs a whole number as id and a name")
        if category in categories:
            raise DataError(
                f"{place}: the id {category} already belongs to {shown(categories[category])}"
            )
        if category in used or name not in groups:  # else Roboflow's name of the whole set
            categories[category] = name.strip()
    return categories


def _rows(path: Path, values: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    rows = values.get(key, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError(f"{path}: {key} must be a list of objects")
    return rows


def _find(name: str, folders: Sequence[Path]) -> Path | None:
    return next((path for folder in folders if (path := folder / name).is_file()), None)


def _place(path: Path, key: str, number: int) -> str:
    return f"{path.name}: {key}[{number}]"


def _is_id(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> TypeGuard[int | float]:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return abs(value) < MAX_SIDE**2  # also not NaN


def _is_side(value: object) -> TypeGuard[int]:
    return _is_id(value) and 0 < value <= MAX_SIDE
