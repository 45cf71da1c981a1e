"""The masks of a packed split: a second memory-mapped table beside that of the images.

A mask is the file of the source, unchanged, so it loses nothing. Its row also has its size and the
pixels of each class, which a split of masks needs before any is read.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from resnext.data.decode.image_limits import MAX_PIXELS
from resnext.data.decode.mask import decode_mask
from resnext.data.mapped import map_array, read_block, write_array
from resnext.data.mask_rule import MaskRule
from resnext.data.shards.layout import MAX_SAMPLE_BYTES, Index, SplitIndex, masks_path
from resnext.errors import DataError

_ROWS_PER_BLOCK = 1 << 12


def mask_row(num_classes: int) -> np.dtype[Any]:
    """Return the type of a row."""
    return np.dtype(
        [
            ("offset", "<i8"),  # of the mask's first byte in the shard of its image
            ("size", "<u4"),  # of the mask in bytes
            ("crc32", "<u4"),
            ("height", "<u4"),
            ("width", "<u4"),
            ("counts", "<i8", (num_classes,)),  # pixels of each class
        ]
    )


def rule_of(index: Index) -> MaskRule:
    """Return what the values of a set's masks mean."""
    assert index.masks is not None
    return MaskRule(index.classes, index.masks.values, index.masks.ignored)


@dataclass(frozen=True)
class PackedMask:
    """The content of a mask.

    Attributes:
        content: Bytes of its file.
        classes_hw: The class of each pixel, uint8.
        num_classes: Classes of the set.
    """

    content: bytes
    classes_hw: npt.NDArray[np.uint8]
    num_classes: int

    @classmethod
    def of(cls, content: bytes, rule: MaskRule, name: str) -> PackedMask:
        """Decode a mask.

        Args:
            content: Bytes of its file.
            rule: What its values mean.
            name: The mask, for messages.

        Raises:
            DataError: It is no mask, or has a value that is not a class.
        """
        if len(content) > MAX_SAMPLE_BYTES:
            raise DataError(f"its mask {name} has more than {MAX_SAMPLE_BYTES:,} bytes")
        try:
            values_hw = decode_mask(content)
        except DataError as error:
            raise DataError(f"its mask {name}: {error}") from None
        return cls(content, rule.classes_of(values_hw, name), len(rule.classes))

    def row(self, offset: int) -> tuple[Any, ...]:
        """Return its row of the table, at a position in its shard."""
        counts_k = np.bincount(self.classes_hw.ravel(), minlength=self.num_classes)
        height, width = self.classes_hw.shape
        crc32 = zlib.crc32(self.content)
        counts = tuple(counts_k[: self.num_classes].tolist())
        return (offset, len(self.content), crc32, height, width, counts)


class MaskTable:
    """The rows of a split's masks, in the order of its images.

    Attributes:
        rule: What the values of the masks mean.
    """

    def __init__(self, root: Path, split: str, rule: MaskRule) -> None:
        """Map the table; use `check` to validate its rows.

        Raises:
            DataError: It is missing or damaged.
        """
        self.rule = rule
        self._root, self._split = root, split
        path = masks_path(root, split)
        try:
            self._rows = map_array(path, mask_row(len(rule.classes)))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise DataError(f"{path}: {reason}; run resnext pack again to restore it") from None

    def __reduce__(self) -> tuple[type[MaskTable], tuple[Path, str, MaskRule]]:
        """Pickle by name, not by content."""
        return MaskTable, (self._root, self._split, self.rule)

    def __getitem__(self, index: Any) -> Any:
        return self._rows[index]

    @property
    def counts_nk(self) -> npt.NDArray[np.int64]:
        """Pixels of each class in each image; a copy."""
        return self._rows["counts"].astype(np.int64)

    @property
    def sizes_n2(self) -> npt.NDArray[np.int64]:
        """Height and width of each image; a copy."""
        return np.stack([self._rows["height"], self._rows["width"]], axis=1).astype(np.int64)

    def check(self, listed: SplitIndex, shards_n: npt.NDArray[np.int64]) -> None:
        """Compare every row with the index.

        Args:
            listed: The split's entry in the index.
            shards_n: The shard of each image, which was checked before.

        Raises:
            DataError: A mask is outside its shard, or has an impossible size or number of pixels.
        """
        try:
            self._check_rows(listed, shards_n)
        except ValueError as error:
            raise DataError(
                f"the table of masks of {self._split} in {self._root} does not fit its index: "
                f"{error}; run resnext pack again to restore it"
            ) from None

    def _check_rows(self, listed: SplitIndex, shards_n: npt.NDArray[np.int64]) -> None:
        if len(self._rows) != len(shards_n):
            raise ValueError(f"it has {len(self._rows):,} rows instead of {len(shards_n):,}")
        sizes_k = np.array([shard.size_bytes for shard in listed.shards])
        for first in range(0, len(shards_n), _ROWS_PER_BLOCK):
            last = first + _ROWS_PER_BLOCK
            rows = read_block(self._rows, first, last)
            if rows["size"].min() < 1 or rows["size"].max() > MAX_SAMPLE_BYTES:
                raise ValueError(f"a mask has no bytes, or more than {MAX_SAMPLE_BYTES:,}")
            # A sum would overflow for offsets near the largest number.
            room = sizes_k[shards_n[first:last]] - rows["size"]
            if rows["offset"].min() < 0 or (rows["offset"] > room).any():
                raise ValueError("a mask is outside its shard")
            pixels = rows["height"].astype(np.float64) * rows["width"]
            if pixels.min() < 1 or pixels.max() > MAX_PIXELS:
                raise ValueError(f"a mask has no pixels, or more than {MAX_PIXELS:,}")
            # Whole numbers up to 2**53 are exact as floats, larger ones stay larger.
            counted = rows["counts"].astype(np.float64).sum(axis=1)
            if rows["counts"].min() < 0 or (counted > pixels).any():
                raise ValueError("a mask has more pixels with a class than pixels")


def write_mask_table(root: Path, split: str, rows: npt.NDArray[Any]) -> None:
    """Write the masks of a split, in the order of its images."""
    path = masks_path(root, split)
    write_array(path, rows, path.with_name(f"{path.name}.partial"))
