"""Fashion-MNIST from its official files, packed or not, or downloaded."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np
import torch

from resnext.data.download import download
from resnext.data.split import ArraySplit, DataInfo, DataSet
from resnext.errors import DataError

_PARTS = {"train": 60_000, "t10k": 10_000}
_FOLDERS = (".", "raw", "FashionMNIST/raw")
_SIDE_PX = 28
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
        root: A folder with the four official files (`train-images-idx3-ubyte.gz`, ...),
            packed or unpacked, directly or as torchvision lays them out. Where they are
            missing they are downloaded to it.

    Raises:
        DataError: The files are missing and cannot be downloaded, or are damaged.

    Source: H. Xiao, K. Rasul, R. Vollgraf, arXiv 1708.07747.
    """
    folder = _find(root)
    if folder is None:
        download("FashionMNIST", root, [f"{name}.gz" for part in _PARTS for name in _names(part)])
        folder = _find(root)
        assert folder is not None
    return DataSet(_INFO, _read_part(folder, "train"), _read_part(folder, "t10k"))


def _names(part: str) -> tuple[str, str]:
    return f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"


def _find(root: Path) -> Path | None:
    """Return the folder that holds all four files, if there is one."""
    names = [name for part in _PARTS for name in _names(part)]
    for folder in (root / below for below in _FOLDERS):
        if all((folder / n).is_file() or (folder / f"{n}.gz").is_file() for n in names):
            return folder
    return None


def _read_part(folder: Path, part: str) -> ArraySplit:
    num = _PARTS[part]
    images, labels = _names(part)
    images_nhwc = _read_idx(folder, images, (num, _SIDE_PX, _SIDE_PX)).unsqueeze(3)
    labels_n = _read_idx(folder, labels, (num,)).long()
    if int(labels_n.max()) >= len(_INFO.classes):
        raise DataError(f"{folder / labels}: labels above {len(_INFO.classes) - 1}")
    return ArraySplit(images_nhwc, labels_n)


def _read_idx(folder: Path, name: str, shape: tuple[int, ...]) -> torch.Tensor:
    """Read an IDX file: two zero bytes, type 8 (uint8), the number of sides, the sides, data."""
    path = folder / name
    try:
        content = path.read_bytes() if path.is_file() else _unpack(folder / f"{name}.gz")
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"cannot read {path}[.gz]: {error}; fetch the file again") from error
    header = struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, len(shape), *shape)
    if not content.startswith(header) or len(content) != len(header) + int(np.prod(shape)):
        raise DataError(
            f"{path}[.gz] is not the official file of {' x '.join(map(str, shape))} bytes; "
            "fetch it again"
        )
    values = np.frombuffer(bytearray(content), dtype=np.uint8, offset=len(header))
    return torch.from_numpy(values).view(shape)


def _unpack(path: Path) -> bytes:
    with gzip.open(path) as file:
        return file.read()
