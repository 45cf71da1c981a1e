"""Writes the eight data sets of the comparison as folders with train/, val/ and test/.

Clothing-10 and the blood cells come with three splits. For every other set, val/ gets every tenth
training image of each class, sorted by name, and the official validation or test images become
test/.

    python -m bench.first_hour.sets SOURCES OUT

SOURCES contains the unpacked downloads of each set: clothing-10-160/ and tiny-imagenet-10/ (train/,
val/ ...), cifar10/ (train/, test/), bccd_coco/ (COCO JSON), wagon-clips/ (train/, val/), and
fashion-mnist/ with its four files.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from resnext.data.array_split import ArraySplit
from resnext.data.sets.digits import load_digits_set
from resnext.data.sets.fashion_mnist import load_fashion_mnist
from resnext.data.split import DataSet

_EVERY = 10
_MIN_CELL_PX = 8


def digits(_sources: Path, out: Path) -> None:
    """Write scikit-learn's digits; the package's validation images become test/."""
    _write_arrays(load_digits_set(), out)


def fashion(sources: Path, out: Path) -> None:
    """Write Fashion-MNIST."""
    _write_arrays(load_fashion_mnist(sources / "fashion-mnist"), out)


def clothing(sources: Path, out: Path) -> None:
    """Copy the clothing photos, which come with three splits."""
    shutil.copytree(sources / "clothing-10-160", out)


def tiny(sources: Path, out: Path) -> None:
    """Copy ten classes of Tiny-ImageNet."""
    _copy_split(sources / "tiny-imagenet-10/train", out, every=1)
    shutil.copytree(sources / "tiny-imagenet-10/val", out / "test")


def tiny_tenth(sources: Path, out: Path) -> None:
    """Copy every tenth training image of the same classes."""
    _copy_split(sources / "tiny-imagenet-10/train", out, every=10)
    shutil.copytree(sources / "tiny-imagenet-10/val", out / "test")


def cifar10(sources: Path, out: Path) -> None:
    """Copy the files of CIFAR-10."""
    _copy_split(sources / "cifar10/train", out, every=1)
    shutil.copytree(sources / "cifar10/test", out / "test")


def cells(sources: Path, out: Path) -> None:
    """Crop the blood cells from their 364 images, by their boxes."""
    root = sources / "bccd_coco"
    for split in ("train", "val", "test"):
        boxes = json.loads((root / f"annotations/instances_{split}.json").read_text())
        files = {image["id"]: image["file_name"] for image in boxes["images"]}
        names = {category["id"]: category["name"] for category in boxes["categories"]}
        for number, box in enumerate(boxes["annotations"]):
            left, top, width, height = box["bbox"]
            if min(width, height) < _MIN_CELL_PX:
                continue
            folder = out / split / names[box["category_id"]]
            folder.mkdir(parents=True, exist_ok=True)
            with Image.open(next(root.rglob(Path(files[box["image_id"]]).name))) as image:
                cell = image.convert("RGB").crop((left, top, left + width, top + height))
            cell.save(folder / f"{number:04}.png")


def wagon(sources: Path, out: Path) -> None:
    """Extract the middle frame of each of 166 clips of railway wagons; needs PyAV."""
    import av

    for split in ("train", "val"):
        for clip in sorted((sources / "wagon-clips" / split).glob("*/*.mp4")):
            folder = out / "all" / split / clip.parent.name
            folder.mkdir(parents=True, exist_ok=True)
            with av.open(str(clip)) as container:
                frames = list(container.decode(video=0))
            frames[len(frames) // 2].to_image().save(folder / f"{clip.stem}.jpg", quality=92)
    _copy_split(out / "all/train", out, every=1)
    shutil.move(out / "all/val", out / "test")
    shutil.rmtree(out / "all")


SETS: dict[str, Callable[[Path, Path], None]] = {
    "wagon": wagon,
    "tiny-tenth": tiny_tenth,
    "digits": digits,
    "cells": cells,
    "clothing": clothing,
    "tiny": tiny,
    "cifar10": cifar10,
    "fashion": fashion,
}


def _copy_split(folder: Path, out: Path, every: int) -> None:
    """Copy part of a folder of class folders, with a tenth for validation."""
    for label in sorted(path for path in folder.iterdir() if path.is_dir()):
        for number, file in enumerate(sorted(label.iterdir())[::every]):
            split = "val" if number % _EVERY == _EVERY - 1 else "train"
            target = out / split / label.name
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)


def _write_arrays(data: DataSet, out: Path) -> None:
    seen: dict[str, int] = {}
    for part, split in (("train", data.train), ("test", data.val)):
        assert isinstance(split, ArraySplit)
        for number, (image, label) in enumerate(
            zip(split.images_nhwc.numpy(), split.targets_n.tolist(), strict=True)
        ):
            name = data.info.classes[label].replace("/", "-")
            seen[name] = seen.get(name, 0) + 1
            is_val = part == "train" and seen[name] % _EVERY == 0
            folder = out / ("val" if is_val else part) / name
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image.squeeze()).save(folder / f"{number:05}.png")


def main() -> None:
    """Write the missing sets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    for name, write in SETS.items():
        if not (arguments.out / name).exists():
            write(arguments.sources, arguments.out / name)
        counts = {
            split: len([p for p in (arguments.out / name / split).rglob("*") if p.is_file()])
            for split in ("train", "val", "test")
        }
        print(name, counts, flush=True)


if __name__ == "__main__":
    main()
