"""What lies in the folder of a packed data set, and the index that lists it. Needs no torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from resnext.errors import DataError
from resnext.files import write_whole

INDEX = "index.json"
FORMAT: Literal["resnext-shards"] = "resnext-shards"
VERSION = 1
SPLITS = ("train", "val")


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class PackSettings(_Stored):
    """What decides the bytes of a packed set.

    Attributes:
        shard_mib: Size of a shard that was aimed at, in MiB.
        short_side_px: Larger images were reduced to this short side, in pixels.
        quality: JPEG quality with which every image was encoded anew.
        source_sha256: Hash of the source's classes, file names and labels.
    """

    shard_mib: float
    short_side_px: int | None
    quality: int | None
    source_sha256: str


class ShardRecord(_Stored):
    """One finished shard.

    Attributes:
        name: File name.
        num_samples: Images in it.
        size_bytes: Length of the file.
        sha256: Of the file.
        bad: Path and reason of the images that were left out.
    """

    name: str
    num_samples: int
    size_bytes: int
    sha256: str
    bad: tuple[tuple[str, str], ...] = ()


class SplitIndex(_Stored):
    """The shards of a split, and the hashes of its tables (see `table`)."""

    num_samples: int
    rows_sha256: str
    names_sha256: str
    shards: tuple[ShardRecord, ...]


class Index(_Stored):
    """A packed data set: what a network must know of it, and its files."""

    format: Literal["resnext-shards"] = FORMAT
    version: int = VERSION
    name: str
    classes: tuple[str, ...]
    in_channels: int
    image_size_px: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    settings: PackSettings
    splits: dict[str, SplitIndex]


def shard_name(split: str, number: int) -> str:
    """Name the tar file of a shard."""
    return f"{split}-{number:06}.tar"


def rows_path(root: Path, split: str) -> Path:
    """Return the file that says where each sample of a split lies."""
    return root / f"{split}.rows.npy"


def names_path(root: Path, split: str) -> Path:
    """Return the file that holds the samples' names in the source, end to end."""
    return root / f"{split}.names.npy"


def is_packed(folder: Path) -> bool:
    """Tell whether a folder holds a packed set, of whatever version."""
    try:
        value = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(value, dict) and value.get("format") == FORMAT


def read_index(root: Path) -> Index:
    """Read the index of a packed set.

    Raises:
        DataError: There is none, or it is damaged or of a later version.
    """
    path = root / INDEX
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DataError(
            f"{root} holds no packed data set: there is no {INDEX}. If packing was interrupted, "
            "start the same command again; else pack one: resnext pack SOURCE DEST"
        ) from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: {error}") from None
    try:
        index = Index.model_validate_json(text)
    except ValidationError as error:
        raise DataError(
            f"{path} is damaged or no index of a packed data set "
            f"({error.errors()[0]['msg']}); pack the set again"
        ) from None
    if index.version > VERSION:
        raise DataError(
            f"{path} is of version {index.version}, this program reads up to {VERSION}; update it"
        )
    return index


def write_index(root: Path, index: Index) -> None:
    """Write the index, whole or not at all."""
    write_whole(root / INDEX, json.dumps(index.model_dump(mode="json"), indent=1) + "\n")
