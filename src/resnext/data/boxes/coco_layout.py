"""Where COCO's JSON files and their images lie.

Known are COCO's own layout (`annotations/instances_train2017.json`, `train2017/`), Roboflow's
(`train/_annotations.coco.json` beside the images) and a folder with one JSON file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from resnext.data.boxes.box_set import SPLITS, BoxSet, Findings
from resnext.data.boxes.class_names import check_class_names
from resnext.data.boxes.coco import CocoFile, images_of, read_coco
from resnext.errors import DataError
from resnext.untrusted.names import list_names, shown

_INSTANCES = re.compile(r"instances_(train|val|valid|test)(\d*)\.json")
_ROBOFLOW = "_annotations.coco.json"
_OTHER_NAMES = {"valid": "val"}


def load_coco(root: Path) -> BoxSet:
    """Read a folder in one of the layouts.

    Raises:
        DataError: It is in none of them, or a file is no such file.
    """
    findings = Findings()
    files = {split: read_coco(path, findings) for split, path in find_files(root).items()}
    files = {split: file for split, file in files.items() if file.images} or files
    categories = _merge(list(files.values()))
    labels = {category: label for label, category in enumerate(sorted(categories))}
    splits = {
        split: images_of(file, labels, _folders(root, split, file.path), findings)
        for split, file in files.items()
    }
    for split, images in splits.items():
        if not images:
            file = files[split]
            raise DataError(
                f"{file.path}: none of its {len(file.images):,} images exists; they may be in "
                f"{list_names([str(f) for f in _folders(root, split, file.path)])}"
            )
    classes = tuple(categories[category] for category in sorted(categories))
    return BoxSet(root.name, classes, splits, findings.result())


def find_files(root: Path) -> dict[str, Path]:
    """Return the annotation files by split.

    Raises:
        DataError: There are none, or several could be meant.
    """
    found = _instances(root / "annotations") or _instances(root)
    for split in (*SPLITS, *_OTHER_NAMES):
        path = root / split / _ROBOFLOW
        if not found.get(_OTHER_NAMES.get(split, split)) and path.is_file():
            found[_OTHER_NAMES.get(split, split)] = path
    if found:
        return {split: found[split] for split in SPLITS if split in found}
    files = sorted(root.glob("[!.]*.json")) or sorted((root / "annotations").glob("[!.]*.json"))
    if len(files) == 1:
        return {"train": files[0]}
    reason = f"holds {list_names([path.name for path in files])}" if files else "holds no JSON file"
    raise DataError(
        f"{root}: {reason}; accepted are annotations/instances_train2017.json and so on, "
        f"train/{_ROBOFLOW} and so on, or one JSON file"
    )


def _instances(folder: Path) -> dict[str, Path]:
    """Return COCO's files in a folder; of several years the last one."""
    found: dict[str, tuple[int, Path]] = {}
    for path in sorted(folder.glob("instances_*.json")):
        match = _INSTANCES.fullmatch(path.name)
        if match is None:
            continue
        split, year = _OTHER_NAMES.get(match[1], match[1]), int(match[2] or 0)
        found[split] = max(found.get(split, (year, path)), (year, path))
    return {split: path for split, (_, path) in found.items()}


def _folders(root: Path, split: str, file: Path) -> Sequence[Path]:
    """Return where the images of a file may lie, the likeliest first."""
    named = file.stem.removeprefix("instances_")
    folders = [file.parent] if file.name == _ROBOFLOW else []
    for name in (named, split):
        folders += [root / name, root / "images" / name, root / name / "images"]
    years = [path for path in sorted(root.glob(f"{split}[0-9]*")) if path.is_dir()]
    return list(dict.fromkeys([*folders, *years, root / "images", root]))


def _merge(files: Sequence[CocoFile]) -> Mapping[int, str]:
    """Return the categories of all files, which must agree and have different names."""
    merged: dict[int, str] = {}
    for file in files:
        for category, name in file.categories.items():
            if merged.setdefault(category, name) != name:
                raise DataError(
                    f"{file.path}: the category {category} is {shown(name)} here and "
                    f"{shown(merged[category])} in {files[0].path.name}; use the same ids in all"
                )
        check_class_names(file.path, merged)
    if not merged:
        raise DataError(f"{files[0].path}: lists no categories; without them no box has a class")
    return merged
