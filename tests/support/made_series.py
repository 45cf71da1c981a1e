"""Small sets of series with two classes that a tiny network can tell apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

HEADER = (
    "@problemName waves\n@timeStamps false\n@univariate true\n@classLabel true slow fast\n@data\n"
)


def wave(number: int, length: int) -> str:
    """Return a line of a `.ts` file: even numbers swing slowly, odd ones fast."""
    draw = np.random.default_rng(number)
    turns = 4.0 if number % 2 else 1.0
    values = np.sin(np.linspace(0, 2 * np.pi * turns, length) + draw.uniform(0, 6))
    values += 0.1 * draw.normal(size=length)
    return f"{','.join(f'{value:.4f}' for value in values)}:{'fast' if number % 2 else 'slow'}"


def write_waves(
    folder: Path, num_train: int = 24, num_test: int = 16, *, length: int = 32, vary: int = 0
) -> Path:
    """Write Waves_TRAIN.ts and Waves_TEST.ts, and return the first.

    Args:
        folder: Where.
        num_train: Series for training.
        num_test: Series for testing.
        length: Least steps.
        vary: How many more steps some have.
    """
    first = 0
    for name, num in (("TRAIN", num_train), ("TEST", num_test)):
        numbers = range(first, first + num)
        lines = [wave(number, length + number % (vary + 1)) for number in numbers]
        (folder / f"Waves_{name}.ts").write_text(HEADER + "\n".join(lines) + "\n")
        first += num
    return folder / "Waves_TRAIN.ts"


def write_volumes(path: Path, *, side: int = 6, num: int = 12) -> Path:
    """Write a file as MedMNIST does; volumes of class 1 are bright in the middle."""
    draw = np.random.default_rng(0)
    arrays: dict[str, Any] = {}
    for split in ("train", "val", "test"):
        labels = (np.arange(num) % 2).astype(np.uint8)
        volumes = draw.integers(0, 60, (num, side, side, side), dtype=np.uint8)
        middle = slice(side // 3, side - side // 3)
        volumes[labels == 1, middle, middle, middle] += 180
        arrays |= {f"{split}_images": volumes, f"{split}_labels": labels[:, None]}
    np.savez_compressed(path, **arrays)
    return path
