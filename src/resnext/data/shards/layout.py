"""What lies in the folder of a packed data set, and the index that lists it. Needs no torch.

The index may come from anybody. Nothing that it says is used before all of it was checked.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    FailFast,
    Field,
    PlainValidator,
    ValidationError,
    model_validator,
)

from resnext.data.config import MAX_SIDE_PX
from resnext.errors import DataError
from resnext.files import write_whole
from resnext.model.normalisation import check_mean, check_std
from resnext.untrusted.names import is_utf8, shown
from resnext.untrusted.parse import MAX_JSON_BYTES, parse_json, read_bytes

INDEX = "index.json"
FORMAT: Literal["resnext-shards"] = "resnext-shards"
VERSION = 1
SPLITS = ("train", "val")

MAX_INDEX_BYTES = MAX_JSON_BYTES
MAX_SHARDS = 10**6
"""Of a split: their names have six digits."""

MAX_SHARD_BYTES = 2**40
MAX_SAMPLES = 2**31 - 1
"""Of a split: the order of an epoch is computed in 64 bits, of which these are half."""

MAX_SAMPLE_BYTES = 2**30
"""Of one image, which a worker reads at once."""

MIN_SAMPLE_BYTES = 2048
"""What an image takes in a shard at least: two members of a header and a block each."""

MAX_CLASSES = 10**5
MAX_TEXT_CHARS = 4096


def _check_text(value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT_CHARS:
        raise ValueError(f"{shown(value)} is not a text of at most {MAX_TEXT_CHARS} characters")
    return value


Count = Annotated[int, Field(strict=True, ge=0)]
# Pydantic's own texts have no lone surrogates, which stand for the bytes of odd file names.
Text = Annotated[str, PlainValidator(_check_text)]
Finite = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Sha256 = Annotated[str, Field(pattern=r"\A[0-9a-f]{64}\z")]


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

    shard_mib: Annotated[Finite, Field(gt=0)]
    short_side_px: Annotated[int, Field(strict=True, ge=1)] | None
    quality: Annotated[int, Field(strict=True, ge=1, le=100)] | None
    source_sha256: Sha256


class ShardRecord(_Stored):
    """One finished shard.

    Attributes:
        name: File name.
        num_samples: Images in it.
        size_bytes: Length of the file.
        sha256: Of the file.
        bad: Path and reason of the images that were left out.
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


class SplitIndex(_Stored):
    """The shards of a split, and the hashes of its tables (see `table`)."""

    num_samples: Annotated[Count, Field(ge=1, le=MAX_SAMPLES)]
    rows_sha256: Sha256
    names_sha256: Sha256
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
        """Return the files of the split's table, and the hash that each must have."""
        return {
            rows_path(root, split): self.rows_sha256,
            names_path(root, split): self.names_sha256,
        }


class Index(_Stored):
    """A packed data set: what a network must know of it, and its files."""

    format: Literal["resnext-shards"] = FORMAT
    version: Annotated[int, Field(strict=True, ge=1)] = VERSION
    name: Text
    classes: Annotated[tuple[Text, ...], Field(min_length=1, max_length=MAX_CLASSES), FailFast()]
    in_channels: Annotated[int, Field(strict=True, ge=1, le=3)]
    image_size_px: Annotated[int, Field(strict=True, ge=1, le=MAX_SIDE_PX)]
    mean: Annotated[tuple[Finite, ...], AfterValidator(check_mean)]
    std: Annotated[tuple[Finite, ...], AfterValidator(check_std)]
    settings: PackSettings
    splits: dict[Literal["train", "val"], SplitIndex]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(set(self.classes)) != len(self.classes):
            raise ValueError("two classes have the same name")
        if foreign := [name for name in self.classes if not is_utf8(name)]:
            raise ValueError(f"the class {shown(foreign[0])} is not UTF-8, as networks keep names")
        if not len(self.mean) == len(self.std) == self.in_channels:
            raise ValueError(f"mean and std must have {self.in_channels} values, one a channel")
        for split, listed in self.splits.items():
            for number, shard in enumerate(listed.shards):
                if shard.name != shard_name(split, number):
                    raise ValueError(
                        f"shard {number} of {split} is called {shown(shard.name)} instead of "
                        f"{shard_name(split, number)}"
                    )
        return self


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
        value = _read(folder / INDEX)
    except (OSError, ValueError):
        return False
    return isinstance(value, dict) and value.get("format") == FORMAT


def read_index(root: Path) -> Index:
    """Read the index of a packed set.

    Raises:
        DataError: There is none, or it is damaged, of a later version or says something that
            cannot be.
    """
    path = root / INDEX
    try:
        value = _read(path)
    except FileNotFoundError:
        raise DataError(
            f"{root} holds no packed data set: there is no {INDEX}. If packing was interrupted, "
            "start the same command again; else pack one: resnext pack SOURCE DEST"
        ) from None
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise DataError(f"{path} {error}; pack the set again") from None
    version = value.get("version") if isinstance(value, dict) else None
    if isinstance(version, int) and version > VERSION:
        raise DataError(
            f"{path} is of version {shown(version)}, this program reads up to {VERSION}; update it"
        )
    try:
        return Index.model_validate(value)
    except ValidationError as error:
        raise DataError(
            f"{path} is damaged or no index of a packed data set ({describe_problem(error)}); "
            "pack the set again"
        ) from None


def write_index(root: Path, index: Index) -> None:
    """Write the index, whole or not at all."""
    write_whole(root / INDEX, json.dumps(index.model_dump(), indent=1) + "\n")


def describe_problem(error: ValidationError) -> str:
    """Say where the first problem is and what it is, without quoting what was given at length."""
    problem = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(shown(part, 30).strip("'") for part in problem["loc"])
    reason = problem["msg"].removeprefix("Value error, ")
    return f"{field}: {reason}" if field else reason


def _read(path: Path) -> Any:
    return parse_json(read_bytes(path, MAX_INDEX_BYTES))
