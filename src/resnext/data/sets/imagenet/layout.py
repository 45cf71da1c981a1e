"""The official ImageNet-1K: classes, counts and archives.

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
    """Content of a complete set.

    Attributes:
        synsets: The sorted classes, which are the names of their folders.
        num_train: Total training images.
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
    """An official archive: its file name and published MD5 sum."""

    name: str
    md5: str


ARCHIVES = {
    "train": Archive("ILSVRC2012_img_train.tar", "1d675b47d978889d74fa0da5fadfb00e"),
    "val": Archive("ILSVRC2012_img_val.tar", "29b22e2961454d5413ddabcf34fc5622"),
    "devkit": Archive("ILSVRC2012_devkit_t12.tar.gz", "fa75699e90414af021442c21a62c3abf"),
}


def imagenet_1k() -> ImageNetLayout:
    """Return the layout of ImageNet-1K (ILSVRC 2012)."""
    synsets = tuple(sorted(class_names("imagenet1k")))
    return ImageNetLayout(
        synsets, num_train=1_281_167, least_train=732, most_train=1300, num_val=50
    )


def is_synset(name: str) -> bool:
    """Return whether a name is a synset, such as n01440764."""
    return _SYNSET.fullmatch(name) is not None


def hidden(path: Path) -> Path:
    """Return the hidden path of an incomplete file or folder; loaders skip hidden names."""
    return path.with_name(f".{path.name}.partial")
