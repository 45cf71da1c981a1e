"""A small ImageNet as its publishers give it: archives, a development kit, trees."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.io import savemat

from resnext.data.sets.imagenet.layout import ImageNetLayout

# In the order of the official ILSVRC2012_IDs, from 1: it is not the alphabetical one.
BY_NUMBER = ("n02119789", "n02100735", "n01440764", "n03255030")
TRAIN_COUNTS = {"n01440764": 3, "n02100735": 2, "n02119789": 4, "n03255030": 3}
LAYOUT = ImageNetLayout(
    tuple(sorted(BY_NUMBER)), num_train=12, least_train=2, most_train=4, num_val=2
)
# The class of validation image 1 to 8, as the official numbers.
NUMBERS = (3, 1, 1, 4, 2, 3, 4, 2)
VAL_SYNSETS = tuple(BY_NUMBER[number - 1] for number in NUMBERS)


def content_of(name: str) -> bytes:
    """Return an image's bytes: no two names have the same, nor the same length."""
    return b"\xff\xd8" + name.encode() * (1 + sum(name.encode()) % 7)


def train_names(synset: str, num: int) -> list[str]:
    return [f"{synset}_{number}.JPEG" for number in range(1, num + 1)]


def val_name(number: int) -> str:
    return f"ILSVRC2012_val_{number:08}.JPEG"


def add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def class_tar(names: Iterable[str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name in names:
            add(tar, name, content_of(name))
    return buffer.getvalue()


def write_train_tar(path: Path, counts: Mapping[str, int] = TRAIN_COUNTS) -> Path:
    with tarfile.open(path, "w") as outer:
        for synset, num in counts.items():
            add(outer, f"{synset}.tar", class_tar(train_names(synset, num)))
    return path


def write_val_tar(path: Path, num: int = len(NUMBERS)) -> Path:
    path.write_bytes(class_tar(val_name(number) for number in range(1, num + 1)))
    return path


def meta_mat(by_number: Sequence[str] = BY_NUMBER) -> bytes:
    """Return a `meta.mat` with the official fields: the classes, then an ancestor of them all."""
    fields = "ILSVRC2012_ID WNID words gloss num_children children wordnet_height num_train_images"
    synsets = np.zeros((len(by_number) + 1, 1), [(field, object) for field in fields.split()])
    for row, synset in enumerate(by_number):
        words = (synset, f"words of {synset}", "a gloss")
        synsets[row, 0] = (row + 1, *words, 0, np.zeros((1, 0)), 0, TRAIN_COUNTS[synset])
    numbers = np.arange(1, len(by_number) + 1)
    ancestor = (len(by_number) + 1, "n00001740", "entity", "that which is", len(numbers), numbers)
    synsets[-1, 0] = (*ancestor, 1, 0)
    buffer = io.BytesIO()
    savemat(buffer, {"synsets": synsets}, do_compression=True)
    return buffer.getvalue()


def numbers_text(numbers: Iterable[int] = NUMBERS) -> bytes:
    return "".join(f"{number}\n" for number in numbers).encode()


def write_devkit(path: Path, meta: bytes | None = None, numbers: bytes | None = None) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        root = "ILSVRC2012_devkit_t12"
        add(tar, f"{root}/readme.txt", b"text")
        add(tar, f"{root}/data/meta.mat", meta_mat() if meta is None else meta)
        numbers = numbers_text() if numbers is None else numbers
        add(tar, f"{root}/data/ILSVRC2012_validation_ground_truth.txt", numbers)
    return path


def write_files(folder: Path, names: Iterable[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(content_of(name))


def write_tree(root: Path) -> Path:
    """Write the complete set as it should be in the end, not by the code under test."""
    for synset, num in TRAIN_COUNTS.items():
        write_files(root / "train" / synset, train_names(synset, num))
    for number, synset in enumerate(VAL_SYNSETS, start=1):
        write_files(root / "val" / synset, [val_name(number)])
    return root


def files_below(root: Path) -> dict[str, bytes]:
    """Read a tree: the name of each file below the root, and its bytes."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
