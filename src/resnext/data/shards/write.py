"""Writes one shard atomically, with the same bytes for the same images."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from resnext.data.decode.image import read_file
from resnext.data.mask_rule import MaskFiles, MaskRule
from resnext.data.shards.encode import Encoding, encode
from resnext.data.shards.layout import MAX_SAMPLE_BYTES, ShardRecord
from resnext.data.shards.mask_table import PackedMask, mask_row
from resnext.data.shards.table import ROW
from resnext.data.tar_limits import TAR_ERRORS, open_limited
from resnext.errors import DataError

TAR_BLOCK = 512
_NUM_DIGITS = 10  # of a key; sorted as text they are sorted as numbers


@dataclass(frozen=True)
class ShardPlan:
    """The planned content of one shard.

    Attributes:
        name: File name of the shard.
        number: Its number in the split.
        source: Folder of the files.
        names: The files below it, in the order of writing.
        numbers_n: Index of each in the source's split, which determines its key.
        targets_n: Class of each image.
        encoding: How to store a file.
        masks: The mask of each image, where the targets are masks.
    """

    name: str
    number: int
    source: Path
    names: tuple[str, ...]
    numbers_n: tuple[int, ...]
    targets_n: tuple[int, ...]
    encoding: Encoding
    masks: MaskFiles | None = None


@dataclass(frozen=True)
class Shard:
    """A finished shard.

    Attributes:
        record: Its entry in the index.
        numbers_n: Index of each sample in the source's split, int64.
        rows_n: Its rows of the table, without the names' ends.
        assumed: Path of an image whose value range had to be assumed, and the assumption.
        masks_n: Its rows of the table of masks, where the targets are masks.
    """

    record: ShardRecord
    numbers_n: NDArray[np.int64]
    rows_n: NDArray[Any]
    assumed: tuple[str, str] = ("", "")
    masks_n: NDArray[Any] | None = None


class _Sample(NamedTuple):
    """What a shard holds of an image: its number, label, extension, bytes and mask."""

    number: int
    label: int
    ending: str
    content: bytes
    mask: PackedMask | None


def write_shard(plan: ShardPlan, folder: Path) -> Shard:
    """Write a shard to a temporary file, flush it to disk and rename it.

    A sample has two members with one key: the image, and its class number as text with the
    extension `.cls`, or its mask with the extension `.mask.png`. Owners, permissions and times are
    fixed.

    Returns:
        The shard; files that are not complete images are left out and listed.

    Raises:
        OSError: It cannot be written, or an existing file cannot be read for a reason unrelated to
            the file.

    Source: the convention of https://github.com/webdataset/webdataset.
    """
    partial = folder / f"{plan.name}.{os.getpid()}.partial"
    bad: list[tuple[str, str]] = []
    numbers: list[int] = []
    rows: list[tuple[int, ...]] = []
    mask_rows: list[tuple[Any, ...]] = []
    assumed: list[tuple[str, str]] = []
    try:
        with partial.open("wb") as raw:
            file = _Hashed(raw)
            with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:
                for number, label, ending, content, mask in _samples(plan, bad, assumed):
                    key, offset = f"{number:0{_NUM_DIGITS}}", file.position + TAR_BLOCK
                    crc32 = zlib.crc32(content)
                    numbers.append(number)
                    rows.append((offset, 0, plan.number, label, len(content), crc32))
                    _add(tar, f"{key}.{ending}", content)
                    if mask is None:
                        _add(tar, f"{key}.cls", str(label).encode())
                    else:
                        mask_rows.append(mask.row(file.position + TAR_BLOCK))
                        _add(tar, f"{key}.mask.png", mask.content)
            raw.flush()
            os.fsync(raw.fileno())
        partial.replace(folder / plan.name)
    finally:
        partial.unlink(missing_ok=True)
    record = ShardRecord(
        name=plan.name,
        num_samples=len(numbers),
        size_bytes=file.position,
        sha256=file.digest.hexdigest(),
        bad=tuple(bad),
    )
    rule = None if plan.masks is None else plan.masks.rule
    shard = _shard(record, numbers, rows, (rule, mask_rows))
    return replace(shard, assumed=assumed[0]) if assumed else shard


def _shard(
    record: ShardRecord,
    numbers: list[int],
    rows: list[tuple[int, ...]],
    masks: tuple[MaskRule | None, list[tuple[Any, ...]]],
) -> Shard:
    numbers_n, rows_n = np.array(numbers, dtype=np.int64), np.array(rows, dtype=ROW)
    rule, mask_rows = masks
    masks_n = None if rule is None else np.array(mask_rows, dtype=mask_row(len(rule.classes)))
    return Shard(record, numbers_n, rows_n, masks_n=masks_n)


def read_shard(
    record: ShardRecord, number: int, folder: Path, rule: MaskRule | None = None
) -> Shard | None:
    """Read a shard finished earlier; None if it does not match its record.

    A shard from elsewhere may match its record without being written by `write_shard`; this also
    gives None.

    Args:
        record: Its entry in the index.
        number: Its number in the split.
        folder: Folder of the set.
        rule: What the values of its masks mean, where the targets are masks.
    """
    path = folder / record.name
    if not path.is_file() or path.stat().st_size != record.size_bytes:
        return None
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != record.sha256:
            return None
        numbers: list[int] = []
        rows: list[tuple[int, ...]] = []
        mask_rows: list[tuple[Any, ...]] = []
        try:
            with open_limited(file, "r:") as tar:
                members = iter(tar)
                for image, target in zip(members, members, strict=True):
                    content, wanted = _content(tar, image), _content(tar, target)
                    value = int(wanted) if rule is None else 0
                    if rule is not None:
                        mask = PackedMask.of(wanted, rule, target.name)
                        mask_rows.append(mask.row(target.offset_data))
                    crc32 = zlib.crc32(content)
                    rows.append((image.offset_data, 0, number, value, len(content), crc32))
                    numbers.append(int(image.name.partition(".")[0]))
            return _shard(record, numbers, rows, (rule, mask_rows))
        except (*TAR_ERRORS, DataError):
            return None


def _samples(
    plan: ShardPlan, bad: list[tuple[str, str]], assumed: list[tuple[str, str]]
) -> Iterator[_Sample]:
    """Yield the valid images; list the others."""
    for position, (number, label, name) in enumerate(
        zip(plan.numbers_n, plan.targets_n, plan.names, strict=True)
    ):
        path = plan.source / name
        try:
            ranges: list[str] = []
            ending, content = encode(read_file(path), plan.encoding, ranges)
            assumed.extend((str(path), found) for found in ranges[: not assumed])
            mask = None
            if plan.masks is not None:
                file = plan.masks.names[position]
                mask = PackedMask.of(read_file(plan.source / file), plan.masks.rule, file)
        except DataError as error:
            bad.append((str(path), str(error)))
            continue
        if len(content) > MAX_SAMPLE_BYTES:
            bad.append((str(path), f"the file has more than {MAX_SAMPLE_BYTES:,} bytes"))
            continue
        yield _Sample(number, label, ending, content, mask)


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)  # its defaults: no owner, mode 644, time 0
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    if not member.isreg() or member.size > MAX_SAMPLE_BYTES:
        raise ValueError("not a file of a shard")
    file = tar.extractfile(member)
    assert file is not None  # a regular file has content
    return file.read()


class _Hashed(io.RawIOBase):
    """Counts and hashes the bytes written to a file."""

    def __init__(self, file: BinaryIO) -> None:
        self._write: Callable[[bytes], int] = file.write
        self.position = 0
        self.digest = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.position

    def write(self, chunk: Any) -> int:
        self._write(chunk)
        self.digest.update(chunk)
        self.position += len(chunk)
        return len(chunk)
