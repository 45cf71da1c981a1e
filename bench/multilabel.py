"""Trains with the defaults on two real multi-label data sets, and prints the results.

`digits`: whether a handwritten digit is even, at least 5, and has a closed loop; the set is part of
scikit-learn. `coco`: which object classes are present, from a folder in COCO's layout with
`annotations/instances_train.json` and `instances_val.json`. Average precision is unreliable for
labels with few images, so only labels with at least `MIN_IMAGES` training images are kept.

    python -m bench.multilabel digits OUT
    python -m bench.multilabel coco OUT --coco coco128
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

LOOPS = (0, 6, 8, 9)
"""Digits written with a closed loop; a 4 can be either, so its label is unknown."""

MIN_IMAGES = 8


def write_digits(out: Path) -> Path:
    """Write the digits as image files, and the table of their labels."""
    digits = load_digits()
    (out / "images").mkdir(parents=True, exist_ok=True)
    rows: list[list[object]] = [["image", "split", "even", "at least 5", "closed loop"]]
    for number, (pixels, digit) in enumerate(zip(digits.images, digits.target, strict=True)):
        name = f"{number:04}.png"
        Image.fromarray((pixels * 15.9).astype(np.uint8)).save(out / "images" / name)
        split = "test" if number % 5 == 4 else "train"
        loop = "" if digit == 4 else int(digit in LOOPS)
        rows.append([name, split, int(digit % 2 == 0), int(digit >= 5), loop])
    return _write(out / "labels.csv", rows)


def write_coco(coco: Path, out: Path) -> Path:
    """Write the table of classes present in COCO's images; each box counts."""
    present: dict[str, dict[str, set[str]]] = {}
    for split in ("train", "val"):
        boxes = json.loads((coco / f"annotations/instances_{split}.json").read_text())
        names = {category["id"]: category["name"] for category in boxes["categories"]}
        files = {image["id"]: image["file_name"] for image in boxes["images"]}
        found: dict[str, set[str]] = {name: set() for name in files.values()}
        for box in boxes["annotations"]:
            found[files[box["image_id"]]].add(names[box["category_id"]])
        present[split] = found
    counts = Counter(label for labels in present["train"].values() for label in labels)
    kept = {label for label, count in counts.items() if count >= MIN_IMAGES}
    out.mkdir(parents=True, exist_ok=True)
    rows: list[list[object]] = [["image", "split", "labels"]]
    for split, found in present.items():
        for name, labels in found.items():
            path = next(coco.rglob(Path(name).name))
            rows.append([path.absolute(), split, "|".join(sorted(labels & kept)) or "none"])
    return _write(out / "labels.csv", rows)


def _write(table: Path, rows: list[list[object]]) -> Path:
    with table.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return table


def run(table: Path, out: Path, images: Path | None, split: str, settings: list[str]) -> None:
    """Train and evaluate with the command line, and print the results."""
    folder = [f"data.images={images}"] if images is not None else []
    train = ["train", "--data", table, "--out", out / "run", "--set", *folder, *settings]
    for words in (train, ["evaluate", out / "run", "--split", split]):
        subprocess.run([sys.executable, "-m", "resnext", *map(str, words)], check=True)


def main() -> None:
    """Write the table, train, evaluate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", choices=("digits", "coco"))
    parser.add_argument("out", type=Path)
    parser.add_argument("--coco", type=Path)
    parser.add_argument("--set", nargs="*", default=[])
    given = parser.parse_args()
    if given.data == "digits":
        run(write_digits(given.out), given.out, None, "test", given.set)
        return
    if given.coco is None:
        parser.error("--coco must be the folder with COCO's images and annotations")
    table = write_coco(given.coco, given.out)
    run(table, given.out, given.coco.absolute(), "val", given.set)


if __name__ == "__main__":
    main()
