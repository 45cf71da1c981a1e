"""YOLO's text files: a line for each box, with class, centre and sides as shares of the image.

Images lie in `images/train` and labels in `labels/train`, or in `train/images` and `train/labels`;
`data.yaml` names the classes. Source: https://docs.ultralytics.com/datasets/detect.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from resnext.data.boxes.box_set import BoxImage, BoxSet, Findings
from resnext.data.boxes.class_names import read_class_names
from resnext.data.boxes.clean import Objects, clean_box, note_repeated
from resnext.data.decode.image import Photo, read_file
from resnext.data.decode.image_names import is_image_name
from resnext.errors import DataError
from resnext.untrusted.parse import read_text

_MAX_LABEL_BYTES = 2**24
_FOLDERS = {"train": ("train",), "val": ("val", "valid"), "test": ("test",)}
_SPLIT = re.compile(r"train|val|valid|test")
_MAY_BE_SPLIT = re.compile(r"(train|val|valid|test)\d*")
_NUM_COLUMNS = 5


def load_yolo(root: Path) -> BoxSet:
    """Read a folder in one of the layouts.

    Raises:
        DataError: It is in none of them, or names no classes.
    """
    classes = read_class_names(root)
    findings = Findings()
    splits: dict[str, tuple[BoxImage, ...]] = {}
    for split, names in _FOLDERS.items():
        for name in names:
            for images, labels in (
                (root / "images" / name, root / "labels" / name),
                (root / name / "images", root / name / "labels"),
            ):
                if split not in splits:
                    found = _images(images, _list(images), labels, classes, findings)
                    splits |= {split: found} if found else {}
    if not splits:
        paths = _outside(root / "images", _MAY_BE_SPLIT)
        found = _images(root / "images", paths, root / "labels", classes, findings)
        splits |= {"train": found} if found else {}
    else:
        for path in _outside(root / "images", _SPLIT):
            place = path.relative_to(root).as_posix()
            findings.add("images beside the folders of the splits, left out", place)
    if not splits:
        raise DataError(
            f"{root}: holds no images in images/train, train/images or images, where YOLO's "
            "layout has them; labels/ goes next to images/"
        )
    return BoxSet(root.name, classes, splits, findings.result())


def _list(folder: Path) -> list[Path]:
    """Return the images below a folder, none if it does not exist; hidden folders are skipped."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if is_image_name(path.name)
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]


def _outside(folder: Path, split: re.Pattern[str]) -> list[Path]:
    """Return the images of a folder that are not in folders with a name like a split's."""
    return [
        path
        for path in _list(folder)
        if path.parent == folder or not split.fullmatch(path.relative_to(folder).parts[0])
    ]


def _images(
    folder: Path,
    paths: Sequence[Path],
    labels: Path,
    classes: Sequence[str],
    findings: Findings,
) -> tuple[BoxImage, ...]:
    """Return images, which may be in further folders; their labels are in folders like these."""
    found = []
    if paths and not labels.is_dir():
        place = f"{labels.parent.name}/{labels.name}"
        findings.add("folders of labels that do not exist, their images kept without boxes", place)
    for number, path in enumerate(paths):
        try:
            width, height = Photo(read_file(path)).size
        except DataError as error:
            findings.add("images that cannot be read, left out", f"{path.name}: {error}")
            continue
        objects = Objects()
        text = labels / path.parent.relative_to(folder) / f"{path.stem}.txt"
        if text.is_file():
            _add(objects, text, len(classes), (width, height), findings)
        else:
            findings.add("images without a file of labels, kept", path.name, is_wrong=False)
        note_repeated(objects, findings, path.name)
        found.append(objects.image(path, number, width, height))
    return tuple(found)


def _add(
    objects: Objects, path: Path, num_classes: int, size: tuple[int, int], findings: Findings
) -> None:
    try:
        lines = read_text(path, _MAX_LABEL_BYTES).splitlines()
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        place = f"{path.name}: line {number}"
        try:
            label, x, y, width, height = _numbers(line)
        except ValueError as error:
            findings.add(f"{error}, left out", place)
            continue
        if label not in range(num_classes):
            findings.add("boxes of a class that has no name, left out", place)
            continue
        if max(x, y, width, height) > 2:
            findings.add("boxes in pixels instead of shares of the image, left out", place)
            continue
        corners = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        scaled = [value * side for value, side in zip(corners, (*size, *size), strict=True)]
        box = clean_box(scaled, *size, findings, place)
        if box is not None:
            objects.add(box, int(label))


def _numbers(line: str) -> tuple[float, ...]:
    """Return the five numbers of a line.

    Raises:
        ValueError: It has others. The message says what kind of lines these are.
    """
    columns = line.split()
    if "," in line or ";" in line:
        raise ValueError("lines with commas (blanks separate numbers, and fractions have a point)")
    try:
        numbers = tuple(map(float, columns[:_NUM_COLUMNS]))
    except ValueError:
        numbers = ()
    if len(numbers) < _NUM_COLUMNS:
        raise ValueError("lines that are not a class and four numbers")
    if len(columns) == _NUM_COLUMNS + 1:
        raise ValueError("lines with six numbers (predictions with a confidence)")
    if len(columns) > _NUM_COLUMNS:
        raise ValueError("lines with more than five numbers (polygons)")
    return numbers
