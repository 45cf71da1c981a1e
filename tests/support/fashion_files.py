"""Fashion-MNIST's files with few images."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np


def write_fashion_mnist(folder: Path, num: int, *, packed: bool = True) -> None:
    """Write the four files in the official format with few images."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(0)
    for part in ("train", "t10k"):
        images = generator.integers(0, 256, (num, 28, 28), dtype=np.uint8)
        labels = (np.arange(num) % 10).astype(np.uint8)
        for name, kind, values in (("images-idx3", 3, images), ("labels-idx1", 1, labels)):
            content = struct.pack(f">I{kind}I", 0x0800 + kind, *values.shape) + values.tobytes()
            path = folder / f"{part}-{name}-ubyte{'.gz' if packed else ''}"
            path.write_bytes(gzip.compress(content) if packed else content)
