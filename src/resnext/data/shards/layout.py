"""The files of a packed data set, and their index. Needs no torch.

The index is untrusted: nothing in it is used before all of it has been checked.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    FailFast,
    Field,
    ValidationError,
    model_validator,
)

from resnext.data.config import MAX_SIDE_PX
from resnext.data.shards.fields import (
    Count,
    Finite,
    MaskValues,
    Sha256,
    Stored,
    Text,
    describe_problem,
)
from resnext.errors import DataError
from resnext.files import write_whole
from resnext.model.normalisation import check_mean, check_std
from resnext.untrusted.names import is_utf8, shown
from resnext.untrusted.parse import MAX_JSON_BYTES, parse_json, read_bytes

INDEX = "index.json"
FORMAT: Literal["resnext-shards"] = "resnext-shards"
VERSION = 2
"""The latest version. Sets without masks have version 1, which earlier programs read."""

VERSION_OF_MASKS = 2
SPLITS = ("train", "val")

MAX_INDEX_BYTES = MAX_JSON_BYTES
MAX_SHARDS = 10**6
"""Maximum shards of a split: their names have six digits."""

MAX_SHARD_BYTES = 2**40
MAX_SAMPLES = 2**31 - 1
"""Maximum images of a split: the order of an epoch is computed in 64 bits, twice this."""

MAX_SAMPLE_BYTES = 2**30
"""Maximum bytes of one image, which a worker reads at once."""

MIN_SAMPLE_BYTES = 2048
"""Minimum size of an image in a shard: two tar members of a header and a block each."""

MAX_CLASSES = 10**5


class PackSettings(Stored):
    """Settings that determine the bytes of a packed set.

    Attributes:
        shard_mib: Target size of a shard in MiB.
        short_side_px: Larger images are reduced to this short side, in pixels.
        quality: JPEG quality with which every image was re-encoded.
        source_sha256: Hash of the source's classes, file names and labels.
    """

    shard_mib: Annotated[Finite, Field(gt=0)]
    short_side_px: Annotated[int, Field(strict=True, ge=1)] | None
    quality: Annotated[int, Field(strict=True, ge=1, le=100)] | None
    source_sha256: Sha256


class ShardRecord(Stored):
    """One finished shard.

    Attributes:
        name: File name.
        num_samples: Images in it.
        size_bytes: Length of the file.
        sha256: Hash of the file.
        bad: Paths of omitted images, with reasons.
    """

    name: Text
    num_samples: Count
    size_bytes: Annotated[int, Field(strict=True, ge=1, le=MAX_SHARD_BYTES)]
    sha256: Sha256
    bad: Annotated[tuple[tuple[Text, Text], ...], FailFast()] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.num_samples * MIN_SAMPLE_BYTES > self.size_bytes:
            raise ValueError(
                f"{shown(self.name)}: {self.size_bytes:,} bytes cannot hold "
                f"{self.num_samples:,} images"
            )
        return self


class SplitIndex(Stored):
    """The shards of a split, and the hashes of its tables (see `table` and `mask_table`)."""

    num_samples: Annotated[Count, Field(ge=1, le=MAX_SAMPLES)]
    rows_sha256: Sha256
    names_sha256: Sha256
    masks_sha256: Sha256 | None = None
    shards: Annotated[
        tuple[ShardRecord, ...], Field(min_length=1, max_length=MAX_SHARDS), FailFast()
    ]

    @model_validator(mode="after")
    def _check(self) -> Self:
        counted = sum(shard.num_samples for shard in self.shards)
        if counted != self.num_samples:
            raise ValueError(
                f"a split of {self.num_samples:,} images has shards of {counted:,} together"
            )
        return self

    def tables(self, root: Path, split: str) -> dict[Path, str]:
        """Return the files of the split's tables with their hashes."""
        tables = {
            rows_path(root, split): self.rows_sha256,
            names_path(root, split): self.names_sha256,
        }
        if self.masks_sha256 is not None:
            tables[masks_path(root, split)] = self.masks_sha256
        return tables


class Index(Stored):
    """A packed data set: classes, statistics and files."""

    format: Literal["resnext-shards"] = FORMAT
    version: Annotated[int, Field(strict=True, ge=1)] = 1
    name: Text
    classes: Annotated[tuple[Text, ...], Field(min_length=1, max_length=MAX_CLASSES), FailFast()]
    in_channels: Annotated[int, Field(strict=True, ge=1, le=3)]
    image_size_px: Annotated[int, Field(strict=True, ge=1, le=MAX_SIDE_PX)]
    mean: Annotated[tuple[Finite, ...], AfterValidator(check_mean)]
    std: Annotated[tuple[Finite, ...], AfterValidator(check_std)]
    settings: PackSettings
    masks: MaskValues | None = None
    splits: dict[Literal["train", "val"], SplitIndex]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(set(self.classes)) != len(self.classes):
            raise ValueError("two classes have the same name")
        if foreign := [name for name in self.classes if not is_utf8(name)]:
            raise ValueError(f"the class {shown(foreign[0])} is not valid UTF-8")
        if not len(self.mean) == len(self.std) == self.in_channels:
            raise ValueError(f"mean and std must have {self.in_channels} values, one per channel")
        self._check_masks()
        for split, listed in self.splits.items():
            for number, shard in enumerate(listed.shards):
                if shard.name != shard_name(split, number):
                    raise ValueError(
                        f"shard {number} of {split} is called {shown(shard.name)} instead of "
                        f"{shard_name(split, number)}"
                    )
        return self

    def _check_masks(self) -> None:
        if any(
            (part.masks_sha256 is None) != (self.masks is None) for part in self.splits.values()
        ):
            raise ValueError("some parts of it have masks, and others none")
        if self.masks is not None and len(self.masks.values) != len(self.classes):
            raise ValueError(
                f"its masks have {len(self.masks.values)} values for {len(self.classes)} classes"
            )


def shard_name(split: str, number: int) -> str:
    """Return the name of a shard's tar file."""
    return f"{split}-{number:06}.tar"


def rows_path(root: Path, split: str) -> Path:
    """Return the file with the positions of a split's samples."""
    return root / f"{split}.rows.npy"


def names_path(root: Path, split: str) -> Path:
    """Return the file with the concatenated source names of the samples."""
    return root / f"{split}.names.npy"


def masks_path(root: Path, split: str) -> Path:
    """Return the file with the positions of a split's masks."""
    return root / f"{split}.masks.npy"


def is_packed(folder: Path) -> bool:
    """Return whether a folder is a packed set of any version."""
    try:
        value = _read(folder / INDEX)
    except (OSError, ValueError):
        return False
    return isinstance(value, dict) and value.get("format") == FORMAT


def read_index(root: Path) -> Index:
    """Read the index of a packed set.

    Raises:
        DataError: There is none, or it is damaged, of a later version or inconsistent.
    """
    path = root / INDEX
    try:
        value = _read(path)
    except FileNotFoundError:
        raise DataError(
            f"{root} is not a packed data set: it contains no {INDEX}. If packing was "
            "interrupted, run the same command again; otherwise pack one: resnext pack SOURCE "
            "DEST"
        ) from None
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise DataError(f"{path} {error}; pack the set again") from None
    version = value.get("version") if isinstance(value, dict) else None
    if isinstance(version, int) and version > VERSION:
        raise DataError(
            f"{path} has version {shown(version)}, but this program supports up to version "
            f"{VERSION}; update resnext"
        )
    try:
        return Index.model_validate(value)
    except ValidationError as error:
        raise DataError(
            f"{path} is damaged or not the index of a packed data set "
            f"({describe_problem(error)}); pack the set again"
        ) from None


def write_index(root: Path, index: Index) -> None:
    """Write the index atomically; one without masks is that of version 1."""
    values = index.model_dump()
    if index.masks is None:
        del values["masks"]
        for split in values["splits"].values():
            del split["masks_sha256"]
    write_whole(root / INDEX, json.dumps(values, indent=1) + "\n")


def _read(path: Path) -> Any:
    return parse_json(read_bytes(path, MAX_INDEX_BYTES))
