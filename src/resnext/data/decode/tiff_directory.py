"""Tag directories of TIFF files and EXIF metadata, with limits on their cost.

Pillow copies the values of all tags when it opens a file. Thousands of tags may refer to the same
bytes, so that 64 KiB become hundreds of megabytes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from resnext.data.decode.image_errors import ImageLimitError

SIZE_OF_TYPE = {
    **dict.fromkeys((1, 2, 6, 7), 1),
    **dict.fromkeys((3, 8), 2),
    **dict.fromkeys((4, 9, 11, 13), 4),
    **dict.fromkeys((5, 10, 12, 16), 8),
}
"""Bytes of one value, by its type."""

INTEGERS = {3: "H", 4: "L", 13: "L", 16: "Q"}
"""The types of lengths, offsets and codes, as `struct` names them."""

# Those that decide the pixels or their orientation. After the baseline's: T4 and T6 options,
# predictor, color map, tiles, ink set and names, extra samples, ranges, JPEG tables, YCbCr.
_PIXEL_TAGS = frozenset(
    {
        *(256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 280, 281, 284),
        *(292, 293, 317, 320, 322, 323, 324, 325, 332, 334, 338, 339, 340, 341, 347),
        *range(512, 522),
        *(529, 530, 531, 532),
    }
)
_LONG = 4
_EXIF_PREFIX = b"Exif\0\0"
# Fewer bytes than these cannot claim more than a few megabytes: not worth reading twice.
_HARMLESS_BYTES = 8 * 2**10
_MAX_OVERLAP = 4
_SLACK_BYTES = 2**16


@dataclass(frozen=True, slots=True)
class Tag:
    """An entry of a directory.

    Attributes:
        number: Tag number.
        type: Type of its values.
        count: Number of values.
        position: Position of the values in the file.
    """

    number: int
    type: int
    count: int
    position: int

    @property
    def num_bytes(self) -> int:
        """Size of all values; 0 if the type is unknown, which is skipped."""
        return SIZE_OF_TYPE.get(self.type, 0) * self.count


def read_directory(data: bytes, start: int, order: str, is_big: bool = False) -> Iterator[Tag]:
    """Read the tags of a directory, up to the end of the file.

    Args:
        data: The file.
        start: Position of the directory.
        order: "<" or ">", the order of bytes.
        is_big: BigTIFF, of 64 bits.
    """
    size, entry, inline = ("Q", "HHQQ", 8) if is_big else ("H", "HHLL", 4)
    first = start + struct.calcsize(order + size)
    if first > len(data):
        return
    (number,) = struct.unpack_from(order + size, data, start)
    width = struct.calcsize(order + entry)
    number = min(number, (len(data) - first) // width)
    entries = struct.iter_unpack(order + entry, data[first : first + number * width])
    for index, (tag, kind, count, offset) in enumerate(entries):
        if SIZE_OF_TYPE.get(kind, 0) * count <= inline:
            offset = first + (index + 1) * width - inline
        yield Tag(tag, kind, count, offset)


def check_tags(tags: list[Tag], num_bytes: int) -> None:
    """Refuse tags that refer to the same bytes many times.

    Args:
        tags: Tags of all directories.
        num_bytes: Size of the file.

    Raises:
        ImageLimitError: Together they claim several times the size of the file.
    """
    claimed = sum(tag.num_bytes for tag in tags if tag.position + tag.num_bytes <= num_bytes)
    if claimed > _MAX_OVERLAP * num_bytes + _SLACK_BYTES:
        raise ImageLimitError(
            f"the metadata tags claim {claimed:,} bytes, but the file has {num_bytes:,}"
        )


def without_notes(data: bytes) -> bytes:
    """Return a TIFF of its first image, without tags that do not affect pixels.

    Pillow and libtiff may refuse the file if those are damaged.

    Args:
        data: A TIFF with a complete header.
    """
    return change_directory(data, lambda tag: tag.number in _PIXEL_TAGS, {})


def change_directory(
    data: bytes, is_kept: Callable[[Tag], bool], values: Mapping[int, int]
) -> bytes:
    """Return a TIFF of its first image, with changed tags.

    Args:
        data: A TIFF with a complete header.
        is_kept: Returns whether to keep a tag.
        values: New single values of existing tags.
    """
    order, is_big = (">" if data[:2] == b"MM" else "<"), data[2] == 43
    (start,) = struct.unpack_from(order + ("Q" if is_big else "L"), data, 8 if is_big else 4)
    size, entry, width = ("Q", "HHQQ", 20) if is_big else ("H", "HHLL", 12)
    first = start + struct.calcsize(order + size)
    kept = []
    for index, tag in enumerate(read_directory(data, start, order, is_big)):
        if tag.number in values:
            content = struct.pack(order + entry, tag.number, _LONG, 1, values[tag.number])
            if order == ">" and is_big:
                content = struct.pack(">HHQLL", tag.number, _LONG, 1, values[tag.number], 0)
            kept.append(content)
        elif is_kept(tag):
            kept.append(data[first + index * width : first + (index + 1) * width])
    last = bytes(8 if is_big else 4)  # no further image
    directory = struct.pack(order + size, len(kept)) + b"".join(kept) + last
    changed = bytearray(data)
    changed[start : start + len(directory)] = directory
    return bytes(changed)


def check_exif(exif: bytes) -> None:
    """Refuse EXIF metadata that takes disproportionate memory.

    Args:
        exif: Data that Pillow will read: a TIFF file, optionally after "Exif".

    Raises:
        ImageLimitError: As `check_tags`; or the EXIF header is repeated.
    """
    if len(exif) <= _HARMLESS_BYTES:
        return
    if exif.startswith(3 * _EXIF_PREFIX):
        raise ImageLimitError("the EXIF header is repeated more than twice")
    while exif.startswith(_EXIF_PREFIX):
        exif = exif[len(_EXIF_PREFIX) :]
    order = ">" if exif.startswith(b"MM") else "<"
    start = struct.unpack_from(order + "L", exif, 4)[0]
    check_tags([*read_directory(exif, start, order)], len(exif))
