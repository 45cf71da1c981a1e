"""Limits on PNG files, checked from their chunk headers without decoding."""

from __future__ import annotations

import struct

from resnext.data.decode.image_errors import ImageLimitError, check_size, too_short
from resnext.errors import DataError

MAX_CHUNKS = 10_000
"""Minimum limit of chunks; a large file may have one per KiB. Pillow takes 3 microseconds each."""

_START = 8
_DEFLATE_RATIO = 1_032  # 258 bytes by 2 bits
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def check_png(data: bytes, max_pixels: int) -> None:
    """Refuse a PNG whose decoding is not bounded by its pixels.

    Args:
        data: The file.
        max_pixels: Accepted.

    Raises:
        ImageLimitError: It has too many chunks, or too few bytes for its pixels.
        DataError: It does not begin with its one header.
    """
    _check_header(data, max_pixels)
    position = _START
    most = MAX_CHUNKS + len(data) // 1024
    for number in range(most + 1):
        kind = data[position + 4 : position + 8]
        if len(kind) < 4 or kind == b"IEND":
            return
        size = int.from_bytes(data[position : position + 4])
        if number and kind == b"IHDR":
            raise DataError("the PNG has two headers")
        position += 12 + size
    raise ImageLimitError(f"the PNG has more than {most:,} chunks")


def _check_header(data: bytes, max_pixels: int) -> None:
    if data[_START + 4 : _START + 8] != b"IHDR" or len(data) < _START + 21:
        raise DataError("the PNG does not begin with a header")
    width, height, bits, color = struct.unpack_from(">LLBB", data, _START + 8)
    check_size(width, height, max_pixels)
    num_bits = width * height * bits * _SAMPLES.get(color, 1)
    if num_bits > 8 * _DEFLATE_RATIO * len(data):
        raise too_short("PNG", width, height)
