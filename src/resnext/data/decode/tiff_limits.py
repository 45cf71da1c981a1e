"""Limits on TIFF files, checked from their tags without decoding."""

from __future__ import annotations

import struct

from resnext.data.decode.image_errors import ImageLimitError, check_size, too_short
from resnext.data.decode.tiff_directory import (
    INTEGERS,
    SIZE_OF_TYPE,
    Tag,
    check_tags,
    read_directory,
)
from resnext.errors import DataError

MAX_TAGS = 4_096
"""Tags of the image; those of photographs are below 200."""

MAX_SEGMENTS = 16_384
"""Minimum limit of strips or tiles; a large image may have one per 64 pixels."""

_MAX_VALUES = 200_000  # of a tag: the largest color map has 3 x 65,536
_MAX_SUB_VALUES = 65_536  # of EXIF and the like: Pillow makes an object of each
_PIXELS_PER_SEGMENT = 64
_FREE_TILE_PIXELS = 2**22
_TILE_PIXELS_PER_PIXEL = 8
_NUM_HEADER_BYTES = 16
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _SAMPLES, _PLANES = 256, 257, 258, 259, 277, 284
_STRIP_OFFSETS, _STRIP_ROWS, _STRIP_BYTES = 273, 278, 279
_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_BYTES = 322, 323, 324, 325
_TABLES = frozenset({_STRIP_OFFSETS, _STRIP_BYTES, _TILE_OFFSETS, _TILE_BYTES})
_STRUCTURE = _TABLES | {
    *(_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _SAMPLES, _PLANES),
    *(_STRIP_ROWS, _TILE_WIDTH, _TILE_HEIGHT),
}
_SUB_DIRECTORIES = (34665, 34853, 40965)  # EXIF, GPS, interoperability
# What one byte of the file can become at most. None: itself. LZW: a code of 12 bits stands for up
# to 4,096 bytes. Deflate: 2 bits for 258 bytes. PackBits: 2 bytes for 128.
_RATIOS = {1: 1, 5: 2_731, 8: 1_032, 32946: 1_032, 32773: 64}


def check_tiff(data: bytes, max_pixels: int) -> None:
    """Refuse a TIFF that is disproportionately expensive to decode.

    Args:
        data: The file.
        max_pixels: Accepted.

    Raises:
        ImageLimitError: It has too many tags, values, strips, tiles or pixels, tiles far larger
            than the image, or too few bytes for its pixels.
        DataError: Its tags are damaged.
    """
    if len(data) < _NUM_HEADER_BYTES:
        raise DataError("truncated: the TIFF ends within its header")
    if data[:4] == b"MM\0\x2b":
        raise DataError("big-endian BigTIFF is not supported; save it as TIFF")
    order, is_big = (">" if data[:2] == b"MM" else "<"), data[2] == 43
    (start,) = struct.unpack_from(order + ("Q" if is_big else "L"), data, 8 if is_big else 4)
    directory = _Directory(data, start, order, is_big)
    check_tags(directory.all_tags(), len(data))
    width, height = directory.number(_WIDTH), directory.number(_HEIGHT)
    check_size(width, height, max_pixels)
    if width and height:  # else Pillow refuses it
        _check_layout(directory, width, height)
        _check_length(directory, width, height, len(data))


class _Directory:
    """The tags of the first image; those that determine the work are validated."""

    def __init__(self, data: bytes, start: int, order: str, is_big: bool) -> None:
        self._data, self._order, self._is_big = data, order, is_big
        self._tags: dict[int, Tag] = {}
        for index, tag in enumerate(read_directory(data, start, order, is_big)):
            if index >= MAX_TAGS:
                raise ImageLimitError(f"the TIFF has more than {MAX_TAGS:,} tags")
            is_bad = tag.number in self._tags or tag.type not in INTEGERS or not tag.count
            if tag.number in _STRUCTURE and is_bad:
                # Pillow and libtiff would each believe another value.
                raise DataError(f"the TIFF's tag {tag.number} is repeated, empty or not an integer")
            if tag.number not in _TABLES and tag.num_bytes > tag.count > _MAX_VALUES:
                raise ImageLimitError(f"the TIFF's tag {tag.number} has {tag.count:,} values")
            self._tags[tag.number] = tag
        if self.count(_STRIP_OFFSETS) and (self.count(_TILE_OFFSETS) or self.count(_TILE_WIDTH)):
            raise DataError("the TIFF has both strips and tiles")

    def all_tags(self) -> list[Tag]:
        """Return the tags, including those of sub-directories, whose values Pillow reads too."""
        starts = {self.number(number) for number in _SUB_DIRECTORIES} - {0}
        sub_tags = [
            tag
            for start in starts
            for tag in read_directory(self._data, start, self._order, self._is_big)
        ]
        if sum(tag.count for tag in sub_tags if tag.num_bytes > tag.count) > _MAX_SUB_VALUES:
            raise ImageLimitError(f"the TIFF's EXIF has more than {_MAX_SUB_VALUES:,} values")
        return [*self._tags.values(), *sub_tags]

    def count(self, number: int) -> int:
        """Return how many values a tag has."""
        return self._tags[number].count if number in self._tags else 0

    def number(self, number: int, default: int = 0) -> int:
        """Return the first value of a tag."""
        return next(iter(self._values(number, 1)), default)

    def total(self, number: int) -> int:
        """Return the sum of the values of a tag."""
        return sum(self._values(number, self.count(number)))

    def _values(self, number: int, most: int) -> tuple[int, ...]:
        tag = self._tags.get(number)
        if tag is None or tag.type not in INTEGERS:
            return ()
        room = max(0, len(self._data) - tag.position) // SIZE_OF_TYPE[tag.type]
        letters = f"{self._order}{min(most, tag.count, room)}{INTEGERS[tag.type]}"
        return struct.unpack_from(letters, self._data, tag.position) if room else ()


def _check_layout(directory: _Directory, width: int, height: int) -> None:
    """Check the number and the size of the strips or tiles against the pixels."""
    is_tiled = directory.count(_TILE_OFFSETS) > 0
    columns = directory.number(_TILE_WIDTH) if is_tiled else width
    rows = directory.number(_TILE_HEIGHT if is_tiled else _STRIP_ROWS, height)
    if not columns or not rows:
        raise DataError("the TIFF has strips or tiles without pixels")
    num_planes = directory.number(_SAMPLES, 1) if directory.number(_PLANES, 1) == 2 else 1
    num_segments = num_planes * -(-width // columns) * -(-height // rows)
    num_offsets = directory.count(_TILE_OFFSETS if is_tiled else _STRIP_OFFSETS)
    if num_offsets > 2 * num_segments:
        raise ImageLimitError(
            f"the TIFF has {num_offsets:,} strips or tiles, but its pixels need {num_segments:,}"
        )
    if num_segments > MAX_SEGMENTS + num_planes * width * height // _PIXELS_PER_SEGMENT:
        raise ImageLimitError(f"the TIFF has {num_segments:,} strips or tiles, which is too many")
    most = _FREE_TILE_PIXELS + _TILE_PIXELS_PER_PIXEL * num_planes * width * height
    if is_tiled and num_segments * columns * rows > most:
        raise ImageLimitError(
            f"the TIFF's tiles of {columns} x {rows} are far larger than its {width} x {height}"
        )


def _check_length(directory: _Directory, width: int, height: int, num_bytes: int) -> None:
    """Check the pixels, and the claimed size of the strips, against the bytes."""
    tag = _TILE_BYTES if directory.count(_TILE_OFFSETS) else _STRIP_BYTES
    num_claimed = directory.total(tag)
    num_bits = width * height * directory.number(_BITS, 1) * directory.number(_SAMPLES, 1)
    if num_claimed > num_bytes + num_bits // 4:
        raise ImageLimitError(
            f"the TIFF's strips or tiles claim {num_claimed:,} bytes of a file of {num_bytes:,}"
        )
    ratio = _RATIOS.get(directory.number(_COMPRESSION, 1))
    if ratio is not None and num_bits > 8 * ratio * max(num_bytes, num_claimed):
        raise too_short("TIFF", width, height)
