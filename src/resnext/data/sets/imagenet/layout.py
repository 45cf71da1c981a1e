"""What the official ImageNet-1K holds: its classes, its counts and the archives it comes in.

Sources: image-net.org, ILSVRC 2012 and its development kit; the checksums are also those of
torchvision (torchvision.datasets.imagenet).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from resnext.class_lists import class_names

_SYNSET = re.compile(r"n[0-9]{8}")


@dataclass(frozen=True)
class ImageNetLayout:
    """What a complete set holds.

    Attributes:
        synsets: The classes, sorted, which are the names of their folders.
        num_train: Training images in all.
        least_train: Training images of the smallest class.
        most_train: Training images of the largest class.
        num_val: Validation images of each class.
    """

    synsets: tuple[str, ...]
    num_train: int
    least_train: int
    most_train: int
    num_val: int


@dataclass(frozen=True)
class Archive:
    """An official archive: its file name and the MD5 sum that its publisher gives."""

    name: str
    md5: str


ARCHIVES = {
    "train": Archive("ILSVRC2012_img_train.tar", "1d675b47d978889d74fa0da5fadfb00e"),
    "val": Archive("ILSVRC2012_img_val.tar", "29b22e2961454d5413ddabcf34fc5622"),
    "devkit": Archive("ILSVRC2012_devkit_t12.tar.gz", "fa75699e90414af021442c21a62c3abf"),
}


def imagenet_1k() -> ImageNetLayout:
    """Return what ImageNet-1K (ILSVRC 2012) holds."""
    synsets = tuple(sorted(class_names("imagenet1k")))
    return ImageNetLayout(
        synsets, num_train=1_281_167, least_train=732, most_train=1300, num_val=50
    )


def is_synset(name: str) -> bool:
    """Tell whether a name is that of a synset, such as n01440764."""
    return _SYNSET.fullmatch(name) is not None


def hidden(path: Path) -> Path:
    """Return where a file or folder lies until it is whole; loaders pass hidden names by."""
    return path.with_name(f".{path.name}.partial")
