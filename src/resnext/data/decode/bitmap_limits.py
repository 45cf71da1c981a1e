"""Limits on GIF and BMP files, checked without decoding."""

from __future__ import annotations

import struct

from resnext.data.decode.image_errors import ImageLimitError, check_size, too_short
from resnext.errors import DataError

MAX_GIF_BLOCKS = 8_192
"""Blocks of comments and extensions before the first picture."""

MAX_GIF_COMMENT_BYTES = 2**18
"""Limit of comment blocks; Pillow copies the comment for each block."""

MAX_RLE_PIXELS = 10_000_000
"""Limit of a run-length encoded BMP, which Pillow decodes in Python: up to 0.3 microseconds per
pixel."""

_MAX_JUNK_BYTES = 2**16
_LZW_RATIO = 2_731  # a code of 12 bits stands for at most 4,096 pixels
_COMMENT, _APPLICATION = 0xFE, 0xFF
_RAW, _RLE8, _RLE4, _BITFIELDS = range(4)


def check_gif(data: bytes, max_pixels: int) -> None:
    """Refuse a GIF that is disproportionately expensive to decode.

    Args:
        data: The file.
        max_pixels: Accepted.

    Raises:
        ImageLimitError: It has too many blocks before its first picture, or too few bytes for it.
        DataError: It has no picture.
    """
    position = 13 + (3 << (data[10] & 7) + 1 if len(data) > 10 and data[10] & 128 else 0)
    num_blocks = num_comment_bytes = num_junk = 0
    while position + 10 <= len(data):
        kind = data[position]
        if kind == 0x2C:
            width, height = struct.unpack_from("<HH", data, position + 5)
            check_size(width, height, max_pixels)
            if width * height > _LZW_RATIO * len(data):
                raise too_short("GIF", width, height)
            return
        if kind == 0x3B:
            break
        if kind != 0x21:
            num_junk += 1
            position += 1
        else:
            start, label = position, data[position + 1]
            position, number = _skip_extension(data, position + 1)
            num_blocks += number
            num_comment_bytes += position - start if label == _COMMENT else 0
        if (
            num_junk > _MAX_JUNK_BYTES
            or num_blocks > MAX_GIF_BLOCKS
            or num_comment_bytes > MAX_GIF_COMMENT_BYTES
        ):
            raise ImageLimitError("the GIF has too many comments or extensions before its picture")
    raise DataError("truncated: the GIF ends before its picture")


def _skip_extension(data: bytes, position: int) -> tuple[int, int]:
    """Return the position after an extension, and its number of blocks, as Pillow reads it.

    An extension is a chain of blocks up to an empty one. Pillow reads the first block, or the first
    two of the one that says how often to repeat, before it looks for the empty one.
    """
    label = data[position]
    position += 1
    num_first = 0 if label == _COMMENT else 1
    if label == _APPLICATION and data.startswith(b"NETSCAPE2.0", position + 1):
        num_first = 2
    for number in range(1, MAX_GIF_BLOCKS + 2):
        size = data[position] if position < len(data) else 0
        position += 1 + size
        if size == 0 and (number > num_first or position >= len(data)):
            break
    return position, number


def check_bmp(data: bytes, max_pixels: int) -> None:
    """Refuse a BMP that is disproportionately expensive to decode.

    Args:
        data: The file.
        max_pixels: Accepted.

    Raises:
        ImageLimitError: It has too few bytes for its pixels; or it is run-length encoded and too
            large, too long, or exceeds the picture.
        DataError: It ends in its header.
    """
    if len(data) < 54:
        if len(data) < 26:
            raise DataError("truncated: the BMP ends within its header")
        return
    offset, size = struct.unpack_from("<LL", data, 10)
    if size == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        compression = _RAW
    else:
        width, height, _, bits, compression = struct.unpack_from("<LLHHL", data, 18)
        height = 2**32 - height if height >> 24 == 0xFF else height
    check_size(width, height, max_pixels)
    num_pixels = width * height
    if compression in (_RLE8, _RLE4):
        _check_runs(data, offset or 14 + size, width, num_pixels, compression == _RLE4)
    elif num_pixels * bits > 8 * len(data):
        raise too_short("BMP", width, height)


def _check_runs(data: bytes, start: int, width: int, num_pixels: int, is_rle4: bool) -> None:
    if num_pixels > MAX_RLE_PIXELS:
        raise ImageLimitError(
            f"a run-length encoded BMP of {num_pixels:,} pixels exceeds the limit of "
            f"{MAX_RLE_PIXELS // 10**6} million; save it without compression"
        )
    # Runs of one pixel are the longest encoding, with an end or a jump in each row.
    if len(data) - start > 2 * num_pixels + 8 * (num_pixels // max(1, width)) + 2**16:
        raise ImageLimitError("the BMP has more runs than its pixels need")
    if b"\0\2" in data[start:]:
        _check_jumps(data, start, width, num_pixels, is_rle4)


def _check_jumps(data: bytes, position: int, width: int, num_pixels: int, is_rle4: bool) -> None:
    """Follow the runs like Pillow, which would skip millions of rows if a jump says so."""
    pixel = column = 0
    while position + 1 < len(data) and pixel < num_pixels:
        count, value = data[position], data[position + 1]
        position += 2
        if count:
            count = max(0, min(count, width - column))
            pixel, column = pixel + count, column + count
        elif value == 0:
            pixel, column = -(-pixel // width) * width, 0
        elif value == 1:
            return
        elif value == 2:
            right, up = data[position : position + 1], data[position + 1 : position + 2]
            pixel += sum(right) + sum(up) * width
            column = pixel % width
            position += 2
            if pixel > num_pixels + width:
                raise ImageLimitError("the BMP jumps out of its picture")
        else:
            num_bytes = value // 2 if is_rle4 else value
            pixel += 2 * num_bytes if is_rle4 else value
            column += value
            position += num_bytes + (position + num_bytes) % 2
