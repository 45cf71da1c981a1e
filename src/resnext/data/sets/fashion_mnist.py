"""Fashion-MNIST from its official files, compressed or not, or downloaded."""

from __future__ import annotations

import gzip
import math
import os
import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
import torch

from resnext.data.array_split import ArraySplit
from resnext.data.sets.download import fetch_official, find_or_fetch
from resnext.data.split import DataInfo, DataSet
from resnext.errors import DataError
from resnext.untrusted.parse import read_bytes

_PARTS = {"train": 60_000, "t10k": 10_000}
_FETCHED = "FashionMNIST/raw"
_FOLDERS = (".", "raw", _FETCHED)
_SIDE_PX = 28
_GZIP_SIZE_BYTES = 4  # at the end of a gzip file: the size of what it holds
_INFO = DataInfo(
    name="fashion-mnist",
    classes=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    in_channels=1,
    image_size_px=_SIDE_PX,
    mean=(0.2860,),  # of the training images
    std=(0.3530,),
)


def load_fashion_mnist(root: Path) -> DataSet:
    """Load the 60,000 training and 10,000 test images of 28 x 28 grey pixels.

    Args:
        root: A folder with the four official files (`train-images-idx3-ubyte.gz`, ...), compressed
            or not, directly or in torchvision's layout. If missing they are downloaded to it.

    Raises:
        DataError: The files are missing and cannot be downloaded, or are damaged.

    Source: H. Xiao, K. Rasul, R. Vollgraf, arXiv 1708.07747.
    """
    official = [f"{name}.gz" for name in _shapes()]
    folder = find_or_fetch(
        "FashionMNIST", root, official, lambda: _find(root), lambda: _fetch(root)
    )
    return DataSet(_INFO, _read_part(folder, "train"), _read_part(folder, "t10k"))


def _names(part: str) -> tuple[str, str]:
    return f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"


def _shapes() -> dict[str, tuple[int, ...]]:
    """Return the shape of each file, by name."""
    shapes: dict[str, tuple[int, ...]] = {}
    for part, num in _PARTS.items():
        images, labels = _names(part)
        shapes |= {images: (num, _SIDE_PX, _SIDE_PX), labels: (num,)}
    return shapes


def _find(root: Path) -> Path | None:
    """Return the folder with all four files, if there is one.

    Files provided by the user are used as they are, and damage is reported on reading. Downloaded
    files must be complete, or they are downloaded again.
    """
    for below in _FOLDERS:
        folder = root / below
        paths = {folder / name: shape for name, shape in _shapes().items()}
        if not all(path.is_file() or _packed(path).is_file() for path in paths):
            continue
        if below != _FETCHED or all(map(_is_whole, paths, paths.values())):
            return folder
    return None


def _fetch(root: Path) -> None:
    """Download the files from torchvision's addresses, to a temporary folder until complete."""
    from torchvision import datasets  # slow to import

    kind = datasets.FashionMNIST
    aside = root / ".fetched"
    shutil.rmtree(aside, ignore_errors=True)
    for name, md5 in kind.resources:
        fetch_official(f"{kind.mirrors[0]}{name}", aside / name, md5)
    (root / _FETCHED).mkdir(parents=True, exist_ok=True)
    for name, _ in kind.resources:
        (aside / name).replace(root / _FETCHED / name)
    shutil.rmtree(aside)


def _packed(path: Path) -> Path:
    return path.with_name(f"{path.name}.gz")


def _is_whole(path: Path, shape: tuple[int, ...]) -> bool:
    """Return whether a file or its compressed form has the right size, without unpacking it."""
    num_bytes = len(_header(shape)) + math.prod(shape)
    if path.is_file() and path.stat().st_size == num_bytes:
        return True
    packed = _packed(path)
    if not packed.is_file() or packed.stat().st_size < _GZIP_SIZE_BYTES:
        return False
    with packed.open("rb") as file:
        file.seek(-_GZIP_SIZE_BYTES, os.SEEK_END)
        return file.read() == struct.pack("<I", num_bytes)


def _read_part(folder: Path, part: str) -> ArraySplit:
    shapes = _shapes()
    images, labels = _names(part)
    images_nhwc = _read_idx(folder, images, shapes[images]).unsqueeze(3)
    targets_n = _read_idx(folder, labels, shapes[labels]).long()
    if int(targets_n.max()) >= len(_INFO.classes):
        raise DataError(f"{folder / labels}: labels above {len(_INFO.classes) - 1}")
    return ArraySplit(images_nhwc, targets_n)


def _read_idx(folder: Path, name: str, shape: tuple[int, ...]) -> torch.Tensor:
    """Read an IDX file, compressed or not."""
    path = folder / name
    header = _header(shape)
    num_bytes = len(header) + math.prod(shape)
    try:
        is_whole = path.is_file() and path.stat().st_size == num_bytes
        takes_packed = not is_whole and _packed(path).is_file()
        content = _unpack(_packed(path), num_bytes) if takes_packed else read_bytes(path, num_bytes)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise DataError(f"cannot read {path}[.gz]: {error}; download the file again") from error
    if not content.startswith(header) or len(content) != num_bytes:
        raise DataError(
            f"{path}[.gz] is not the official file of {' x '.join(map(str, shape))} bytes; "
            "download it again"
        )
    values = np.frombuffer(bytearray(content), dtype=np.uint8, offset=len(header))
    return torch.from_numpy(values).view(shape)


def _header(shape: tuple[int, ...]) -> bytes:
    """Return the header of an IDX file: two zero bytes, type 8 (uint8), number of sides, sides."""
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, len(shape), *shape)


def _unpack(path: Path, num_bytes: int) -> bytes:
    """Unpack the expected size plus one byte, which detects another file."""
    with gzip.open(path) as file:
        return file.read(num_bytes + 1)
