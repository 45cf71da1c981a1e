"""The classes of the validation images, from the official files.

The official `ILSVRC2012_validation_ground_truth.txt` has a line for each image, a number called
ILSVRC2012_ID. These numbers do not follow the alphabetical order of synsets, which network outputs
use: number 1 is n02119789 (kit fox), output 0 is n01440764 (tench). Only `meta.mat` of the
development kit maps numbers to synsets.
"""

from __future__ import annotations

import io
import re
import tarfile
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from resnext.data.sets.imagenet.archives import open_tar
from resnext.data.sets.imagenet.layout import ImageNetLayout, is_synset
from resnext.errors import ConfigError, DataError
from resnext.untrusted.names import list_names, shown
from resnext.untrusted.parse import read_bytes

NUMBERS_NAME = "ILSVRC2012_validation_ground_truth.txt"
META_NAME = "meta.mat"
_MAX_MIB = 64
_MAT_HEADER_BYTES = 128
_MAT_COMPRESSED = 15
_NUMBER = re.compile(r"[0-9]{1,9}")
_KAGGLE_LINE = re.compile(r"ILSVRC2012_val_([0-9]{8}),(n[0-9]{8}) ")
_KAGGLE_HEADER = "ImageId,PredictionString"


@dataclass(frozen=True)
class GroundTruth:
    """The official ground truth.

    Attributes:
        val_synsets: The class of validation image 1, 2, ...
        train_counts: Training images of each class; empty without a development kit.
    """

    val_synsets: tuple[str, ...]
    train_counts: dict[str, int]


def read_devkit(devkit: Path, layout: ImageNetLayout) -> GroundTruth:
    """Read the development kit, an archive or the folder that it unpacks to.

    Args:
        devkit: ILSVRC2012_devkit_t12.tar.gz or the folder ILSVRC2012_devkit_t12.
        layout: The classes.

    Raises:
        DataError: It is not a development kit of ILSVRC 2012.
    """
    if devkit.is_dir():
        folder = devkit / "data" if (devkit / "data").is_dir() else devkit
        files = {name: _read(folder / name) for name in (META_NAME, NUMBERS_NAME)}
    else:
        files = _from_archive(devkit)
    synset_of, train_counts = _read_meta(files[META_NAME], devkit, layout)
    lines = files[NUMBERS_NAME].decode("ascii", "replace").split()
    return GroundTruth(_checked(_named(lines, synset_of, devkit), devkit, layout), train_counts)


def read_ground_truth(file: Path, layout: ImageNetLayout) -> GroundTruth:
    """Read one file of ground truth.

    Args:
        file: The official numbers, with `meta.mat` next to them; a file with one synset per line;
            or Kaggle's LOC_val_solution.csv.
        layout: The classes.

    Raises:
        ConfigError: The file contains numbers, but there is no `meta.mat` next to it.
        DataError: The file is none of these.
    """
    lines = _read(file).decode("utf-8", "replace").splitlines()
    train_counts: dict[str, int] = {}
    if lines and lines[0].strip() == _KAGGLE_HEADER:
        synsets = _from_kaggle(lines[1:], file)
    elif all(is_synset(line.strip()) for line in lines):
        synsets = [line.strip() for line in lines]
    else:
        meta = file.with_name(META_NAME)
        if not meta.exists():
            raise ConfigError(
                f"--ground-truth {file} contains numbers, which need {META_NAME} next to it to "
                "map them to synsets; give --devkit ILSVRC2012_devkit_t12.tar.gz"
            )
        synset_of, train_counts = _read_meta(_read(meta), meta, layout)
        synsets = _named([line.strip() for line in lines], synset_of, file)
    return GroundTruth(_checked(synsets, file, layout), train_counts)


def _read_meta(
    content: bytes, origin: Path, layout: ImageNetLayout
) -> tuple[dict[int, str], dict[str, int]]:
    """Read `meta.mat` (Matlab format 5) as data, without executing anything.

    Its 1,860 records are the 1,000 classes and their ancestors; the classes have no children.
    """
    from scipy.io import loadmat

    try:
        _check_expansion(content)
        records: Any = loadmat(io.BytesIO(content), variable_names=["synsets"], squeeze_me=True)
        leaves = [row for row in records["synsets"] if int(row["num_children"]) == 0]
        synset_of = {int(row["ILSVRC2012_ID"]): str(row["WNID"]) for row in leaves}
        counts = {str(row["WNID"]): int(row["num_train_images"]) for row in leaves}
    # A damaged file can raise nearly anything in scipy's reader.
    except Exception as error:
        raise DataError(
            f"{origin}: cannot read {META_NAME} ({type(error).__name__}: {shown(str(error))}); "
            "give the development kit of ILSVRC 2012"
        ) from error
    if sorted(counts) != list(layout.synsets) or len(synset_of) != len(counts):
        raise DataError(
            f"{origin}: {META_NAME} has {len(synset_of):,} classes, but ImageNet-1K has "
            f"{len(layout.synsets):,}; give the development kit of ILSVRC 2012, classification "
            "task (t12)"
        )
    return synset_of, counts


def _check_expansion(content: bytes) -> None:
    """Check that compressed elements are not larger than in any official file.

    Raises:
        ValueError: They are too large.
    """
    order: Literal["little", "big"] = "little" if content[126:128] == b"IM" else "big"
    start, room = _MAT_HEADER_BYTES, _MAX_MIB << 20
    while start + 8 <= len(content):
        kind, size = (int.from_bytes(content[k : k + 4], order) for k in (start, start + 4))
        start += 8
        if kind == _MAT_COMPRESSED:
            unpacked = zlib.decompressobj().decompress(content[start : start + size], room + 1)
            room -= len(unpacked)
            if room < 0:
                raise ValueError(f"it expands to more than {_MAX_MIB} MiB")
        start += size


def _named(lines: Sequence[str], synset_of: dict[int, str], origin: Path) -> list[str]:
    synsets = []
    for number, line in enumerate(lines, start=1):
        if not _NUMBER.fullmatch(line) or int(line) not in synset_of:
            raise DataError(f"{origin}: line {number}, {shown(line)}, is not the number of a class")
        synsets.append(synset_of[int(line)])
    return synsets


def _from_kaggle(lines: Sequence[str], origin: Path) -> list[str]:
    """Read lines such as `ILSVRC2012_val_00048981,n03995372 85 1 499 272`, in any order."""
    synset_of = {}
    for line in lines:
        if (found := _KAGGLE_LINE.match(line)) is None:
            raise DataError(f"{origin}: {line[:60]!r} does not start with an image and its synset")
        synset_of[int(found.group(1))] = found.group(2)
    if sorted(synset_of) != list(range(1, len(lines) + 1)):
        raise DataError(f"{origin}: the images are not numbered 1 to {len(lines)}, each once")
    return [synset_of[number] for number in sorted(synset_of)]


def _checked(synsets: Sequence[str], origin: Path, layout: ImageNetLayout) -> tuple[str, ...]:
    """Check that every class has its number of images."""
    counts = Counter(synsets)
    if unknown := sorted(set(counts) - set(layout.synsets)):
        raise DataError(f"{origin}: {list_names(unknown, 10)} are not classes of ImageNet-1K")
    if wrong := [name for name in layout.synsets if counts[name] != layout.num_val]:
        raise DataError(
            f"{origin}: {len(synsets):,} lines, but {layout.num_val} per class are expected, "
            f"unlike for {list_names(wrong, 10)}; give the complete official file"
        )
    return tuple(synsets)


def _from_archive(devkit: Path) -> dict[str, bytes]:
    """Read the two files in memory; nothing is written to disk."""
    files: dict[str, bytes] = {}
    with open_tar(devkit) as tar:
        for member in tar:
            name = PurePosixPath(member.name).name
            if (
                name in (META_NAME, NUMBERS_NAME)
                and PurePosixPath(member.name).parent.name == "data"
            ):
                files[name] = _extract(tar, member, devkit)
    for name in (META_NAME, NUMBERS_NAME):
        if name not in files:
            raise DataError(
                f"{devkit}: contains no data/{name}; give ILSVRC2012_devkit_t12.tar.gz, the "
                "development kit of tasks 1 and 2"
            )
    return files


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, devkit: Path) -> bytes:
    source = tar.extractfile(member) if member.isreg() else None
    if source is None or member.size > _MAX_MIB << 20:
        raise DataError(
            f"{devkit}: {shown(member.name)} is not a file or larger than {_MAX_MIB} MiB; this "
            "is not the official kit"
        )
    return source.read()


def _read(file: Path) -> bytes:
    try:
        return read_bytes(file, _MAX_MIB << 20)
    except OSError as error:
        raise DataError(f"cannot read {file}: {error.strerror}") from error
    except ValueError as error:
        raise DataError(f"{file} {error}; give the official file") from None
