"""Reads single images from shards with random access."""

from __future__ import annotations

import os
import zlib
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from resnext.data.address import join
from resnext.data.decode.image import Photo
from resnext.data.shards.ahead import Ahead
from resnext.data.shards.layout import shard_name
from resnext.data.shards.mask_table import PackedMask
from resnext.data.split import ImageReader
from resnext.errors import DataError

if TYPE_CHECKING:
    from resnext.data.shards.split import ShardSplit

_MAX_OPEN = 64  # descriptors of one process, far below the usual limit of 1,024


class ShardReader(ImageReader):
    """Reads the images of a split.

    Reads are positional (pread), so descriptors shared by a fork do not interfere. Few are kept
    open, as reopening takes microseconds. Fetched shards are never kept open, so that evicting a
    file frees its disk space.
    """

    def __init__(self, split: ShardSplit, in_channels: int) -> None:
        self._split, self._in_channels = split, in_channels
        self._ahead = None if split.remote is None else Ahead(split.remote, split.table.split)
        self._files: OrderedDict[int, int] = OrderedDict()

    def __reduce__(self) -> tuple[type[ShardReader], tuple[ShardSplit, int]]:
        """Pickle without descriptors, which are invalid in other processes."""
        return ShardReader, (self._split, self._in_channels)

    def __del__(self) -> None:
        while self._files:
            os.close(self._files.popitem()[1])

    def photo(self, index: int) -> Photo:
        """Return an image with only its header decoded."""
        return Photo(self.read(index), self._in_channels)

    def read(self, index: int) -> bytes:
        """Return the bytes of an image's file.

        Raises:
            DataError: The shard cannot be read, or its bytes have changed since packing.
            DownloadError: It cannot be downloaded.
        """
        row = self._split.table[self._split.row(index)]
        return self._read_checked(row, int(row["shard"]))

    def mask(self, index: int) -> npt.NDArray[np.uint8]:
        """Return the class of each pixel, h x w.

        Raises:
            DataError: As `read`, or the mask is bad or does not have the size that is listed.
            DownloadError: As `read`.
        """
        number, masks = self._split.row(index), self._split.masks
        assert masks is not None
        row, name = masks[number], self._split.table.name(number)
        content = self._read_checked(row, int(self._split.table[number]["shard"]))
        classes_hw = PackedMask.of(content, masks.rule, f"of {name}").classes_hw
        if classes_hw.shape != (row["height"], row["width"]):
            raise DataError("its mask does not have the size that is listed; pack the set again")
        return classes_hw

    def _read_checked(self, row: Any, shard: int) -> bytes:
        """Return the bytes that a row of either table points to."""
        size = int(row["size"])
        try:
            content = self._read(shard, size, int(row["offset"]))
        except OSError as error:
            raise DataError(error.strerror or str(error)) from None
        if len(content) < size:
            raise DataError("the shard ends within this sample")
        if zlib.crc32(content) != int(row["crc32"]):
            raise DataError("the shard is damaged here: its bytes have changed since packing")
        return content

    def prepare(self, shards: tuple[int, ...]) -> None:
        """Prefetch shards that will soon be needed."""
        if self._ahead is not None:
            self._ahead.add(shards)

    def name_of(self, index: int) -> str:
        """Return the shard of an image and the name of its source file."""
        row = self._split.row(index)
        table = self._split.table
        shard = shard_name(table.split, int(table[row]["shard"]))
        remote = self._split.remote
        where = table.root / shard if remote is None else join(remote.address, shard)
        return f"{where}: {table.name(row)}"

    def _read(self, shard: int, size: int, offset: int) -> bytes:
        remote = self._split.remote
        if remote is None:
            return os.pread(self._file(shard), size, offset)
        opened = remote.open(self._split.table.split, shard)
        try:
            return os.pread(opened, size, offset)
        finally:
            os.close(opened)

    def _file(self, shard: int) -> int:
        """Return an open descriptor; the least recently used one is closed for it."""
        if shard not in self._files:
            table = self._split.table
            opened = os.open(table.root / shard_name(table.split, shard), os.O_RDONLY)
            if len(self._files) == _MAX_OPEN:
                os.close(self._files.popitem(last=False)[1])
            self._files[shard] = opened
        self._files.move_to_end(shard)
        return self._files[shard]
