"""Real digits as image files, with tables of what else can be said of them than their class."""

import csv
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

LABELS = ("even", "at least 5", "closed loop")
LOOPS = {0: 1, 4: 0.5, 6: 1, 8: 2, 9: 1}
"""Closed loops of a digit as it is usually written; a 4 is closed as often as not."""


def write_digit_tables(folder: Path, num: int = 300) -> None:
    """Write the first digits as files, and two tables beside them.

    `labels.csv` has a column for each of `LABELS`, with an empty cell where a 4 may be closed;
    `loops.csv` has the number of loops.
    """
    digits = load_digits()
    (folder / "images").mkdir(parents=True)
    rows: dict[str, list[list[object]]] = {
        "labels.csv": [["image", *LABELS]],
        "loops.csv": [["image", "loops"]],
    }
    for index, (pixels, digit) in enumerate(zip(digits.images[:num], digits.target, strict=False)):
        name = f"{index:04}.png"
        Image.fromarray((pixels * 15.9).astype(np.uint8)).save(folder / "images" / name)
        loops = LOOPS.get(int(digit), 0)
        closed = "" if digit == 4 else int(loops > 0)
        rows["labels.csv"].append([name, int(digit % 2 == 0), int(digit >= 5), closed])
        rows["loops.csv"].append([name, loops])
    for table, lines in rows.items():
        with (folder / table).open("w", newline="") as file:
            csv.writer(file).writerows(lines)
