"""PPM, PGM and PBM: limits, and scaling of values to the full range.

Pillow scales the values of a file whose maximum is not 255 one by one in Python, a thousand times
slower than usual. Here a lookup table gives the same result.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from resnext.data.decode.depth import Range
from resnext.data.decode.image_errors import ImageLimitError, check_size, too_short
from resnext.data.decode.samples import Samples
from resnext.errors import DataError

MAX_HEADER_BYTES = 2**16
"""Pillow reads comments byte by byte."""

MAX_COMMENTS = 1_000
"""Among plain numbers: Pillow copies up to a MiB for each."""

_SPACES = b" \t\n\v\f\r"
_MAX_MAGIC_BYTES, _MAX_TOKEN_BYTES = 6, 10
_LINE_END = re.compile(rb"[\r\n]")
_COMMENT = re.compile(rb"#[^\r\n]*")
_PLAIN_BANDS = {b"P1": 1, b"P2": 1, b"P3": 3}
_RAW_BITS = {b"P4": 1, b"Pf": 32}  # of a pixel; these have no largest value
_RAW_BANDS = {b"P5": 1, b"P6": 3, b"P0CMYK": 4, b"PyP": 1, b"PyRGBA": 4, b"PyCMYK": 4}


class _Header(NamedTuple):
    magic: bytes
    width: int
    height: int
    most: int  # the largest value
    start: int  # of the pixels


def check_netpbm(data: bytes, max_pixels: int) -> None:
    """Refuse a PPM, PGM or PBM that is disproportionately expensive to decode.

    Args:
        data: The file.
        max_pixels: Accepted.

    Raises:
        ImageLimitError: Its header is too long, it has too many comments, or too few bytes for
            its pixels.
        DataError: Its header is damaged.
    """
    header = _read_header(data)
    if header is None:  # Pillow refuses it
        return
    check_size(header.width, header.height, max_pixels)
    num_pixels, num_bytes = header.width * header.height, len(data) - header.start
    if header.magic in _PLAIN_BANDS:
        if data.count(b"#", header.start) > MAX_COMMENTS:
            raise ImageLimitError(f"the PPM has more than {MAX_COMMENTS:,} comments")
        # A number and a space, but the last; of P1, the number only.
        shortest = num_pixels * _PLAIN_BANDS[header.magic] * (1 if header.magic == b"P1" else 2) - 1
    elif header.magic in _RAW_BITS:
        shortest = num_pixels * _RAW_BITS[header.magic] // 8
    else:
        shortest = num_pixels * _RAW_BANDS[header.magic] * (1 if header.most < 256 else 2)
    if num_bytes < shortest:
        raise too_short("PPM", header.width, header.height)


def is_deep(data: bytes) -> bool:
    """Return whether the samples of a PPM or PGM have more than 8 bits."""
    header = _read_header(data)
    return header is not None and (header.most > 255 or header.magic == b"Pf")


def netpbm_samples(data: bytes) -> Samples | None:
    """Read grey or RGB samples of more than 8 bits; None if there are none.

    Many programs write a maximum of 65,535 for any 16-bit image, so it is not informative.

    Args:
        data: A file that `check_netpbm` accepted.

    Raises:
        DataError: Its digits are damaged.
    """
    header = _read_header(data)
    if header is None or not 255 < header.most < 2**16:
        return None
    bands = {b"P2": 1, b"P3": 3, b"P5": 1, b"P6": 3}.get(header.magic)
    if bands is None:
        return None
    num_values = header.width * header.height * bands
    if header.magic in _PLAIN_BANDS:
        values = _read_digits(data[header.start :], num_values, header.most)
    else:
        values = np.frombuffer(data, ">u2", num_values, header.start)
    declared = (Range(0, header.most),) if header.most < 2**16 - 1 else ()
    return Samples(values.reshape(header.height, header.width, bands), declared)


def _read_digits(text: bytes, num_values: int, most: int) -> npt.NDArray[np.uint16]:
    if b"#" in text:
        text = _COMMENT.sub(b" ", text)
    # NumPy leaves values unwritten for which there are no digits, so they are counted before.
    is_digit = np.frombuffer(text, np.uint8) > max(_SPACES)
    num_numbers = np.count_nonzero(is_digit[1:] & ~is_digit[:-1]) + int(is_digit[:1].any())
    if num_numbers < num_values:
        raise DataError("truncated: the PPM ends before its pixels")
    values = np.fromstring(text, np.int32, num_values, sep=" ")
    if values.min() < 0 or values.max() > most:
        raise DataError("a value of the PPM is larger than the maximum in its header")
    return values.astype(np.uint16)


def to_full_range(data: bytes) -> bytes:
    """Return the same image with values up to 255, or to 65,535 if it is grey and of 16 bits.

    Args:
        data: A file that `check_netpbm` accepted.
    """
    header = _read_header(data)
    if header is None or header.magic not in _RAW_BANDS or not 0 < header.most < 2**16:
        return data
    magic, width, height, most, start = header
    is_deep = magic == b"P5" and most > 255
    if most == (65_535 if is_deep else 255):
        return data
    num_values = width * height * _RAW_BANDS[magic]
    values = np.frombuffer(data, "u1" if most < 256 else ">u2", num_values, start)
    pixels = _full_range(most, 65_535 if is_deep else 255)[values]
    top = b"%b %d %d %d\n" % (magic, width, height, 65_535 if is_deep else 255)
    content: bytes = pixels.tobytes()
    return top + content


@lru_cache(maxsize=4)
def _full_range(most: int, new_most: int) -> npt.NDArray[np.generic]:
    """Return the lookup table; halves are rounded to even, as in Pillow."""
    values = np.arange(256 if most < 256 else 2**16)
    spread = np.minimum(new_most, np.rint(values / most * new_most))
    return spread.astype("u1" if new_most == 255 else ">u2")


def _read_header(data: bytes) -> _Header | None:
    """Read a header like Pillow; None if its kind is unknown."""
    magic = data[:_MAX_MAGIC_BYTES]
    for space in _SPACES:
        magic = magic.split(bytes([space]), 1)[0]
    if magic not in _PLAIN_BANDS and magic not in _RAW_BITS and magic not in _RAW_BANDS:
        return None
    position = min(len(magic) + 1, _MAX_MAGIC_BYTES)
    numbers = [1, 1, 1]
    try:
        for index in range(2 if magic in (b"P1", b"P4") else 3):
            token, position = _read_token(data, position)
            if index < 2 or magic != b"Pf":
                numbers[index] = int(token)
    except ValueError as error:
        raise DataError("the PPM's header is damaged") from error
    if min(numbers) <= 0:
        raise DataError("the PPM's header is damaged")
    width, height, most = numbers
    return _Header(magic, width, height, most, position)


def _read_token(data: bytes, position: int) -> tuple[bytes, int]:
    token = b""
    while len(token) <= _MAX_TOKEN_BYTES and position < len(data):
        if position > MAX_HEADER_BYTES:
            raise ImageLimitError("the PPM's header has more than 64 KiB")
        letter = data[position : position + 1]
        position += 1
        if letter == b"#":
            found = _LINE_END.search(data, position)
            position = found.end() if found else len(data)
        elif letter not in _SPACES:
            token += letter
        elif token:
            break
    return token, position
