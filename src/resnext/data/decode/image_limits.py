"""Checks an image file before decoding, and estimates the memory of decoding.

A small file can keep a decoder busy for minutes or fill the memory: thousands of scans, chunks,
comments or tags, tiles far larger than the image, or a size without data. The limits follow from
the formats: files as written by encoders are never refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from PIL import Image, features

from resnext.data.decode.bitmap_limits import check_bmp, check_gif
from resnext.data.decode.jpeg_limits import check_jpeg
from resnext.data.decode.netpbm import check_netpbm, is_deep
from resnext.data.decode.png_limits import check_png
from resnext.data.decode.tiff_limits import check_tiff

_AVIF = ("AVIF",) if "avif" in features.modules and features.check("avif") else ()
FORMATS = (*_AVIF, "BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
"""AVIF if Pillow was built with it. Pillow's other formats are not accepted: some start other
programs (EPS), and none is used for photographs."""

MAX_PIXELS = 128_000_000
"""Larger images are refused: a small file can claim any size and exhaust the memory."""

# Pillow's own pixels and their conversions, of which several exist at a time: most with
# transparency, and more with WebP. A test holds them against what decoding takes.
_BYTES_PER_PIXEL = 16
_BYTES_PER_PIXEL_WEBP = 32
_BYTES_PER_PIXEL_DEEP = 32  # of samples of 16 bits, read in two halves
_BYTES_PER_ROW = 64  # Pillow rounds rows up and keeps pointers to them, in each conversion
_LOSSLESS_BLOCK_PIXELS = 16
_LOSSLESS_BLOCK_BITS = 20
_MAX_LOSSLESS_CODES = 2**16
_BYTES_PER_LOSSLESS_CODE = 20 * 2**10  # the tables of libwebp: 5,004 entries of 4 bytes
_TIFF_TILE_WIDTH, _TIFF_TILE_HEIGHT = 322, 323

_STARTS = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"BM": "BMP",
    b"P": "PPM",
    **dict.fromkeys((b"II*\0", b"II\0*", b"II+\0", b"MM\0*", b"MM*\0", b"MM\0+"), "TIFF"),
}

_BMP_HEADERS = frozenset(size.to_bytes(4, "little") for size in (12, 40, 52, 56, 64, 108, 124))


def format_of(data: bytes) -> str:
    """Return the format of an image by its first bytes, in Pillow's names; empty if unknown."""
    return next((form for start, form in _STARTS.items() if data.startswith(start)), "")


def starts_like_image(start: bytes) -> bool:
    """Return whether a file is an image of an accepted format, by its first 32 bytes."""
    form = format_of(start)
    if form == "BMP":
        return start[14:18] in _BMP_HEADERS
    if form == "PPM":
        return re.match(rb"P[1-6f][\s#]", start) is not None
    is_avif = start[4:8] == b"ftyp" and start[8:12] in (b"avif", b"avis") and bool(_AVIF)
    return bool(form) or is_avif or (start[:4] == b"RIFF" and start[8:12] == b"WEBP")


def check_image(
    data: bytes, formats: Collection[str] = FORMATS, max_pixels: int = MAX_PIXELS
) -> None:
    """Refuse an image file that is disproportionately expensive to decode.

    Reads the file's structure once, without decoding. Files of other formats pass, as they are
    never decoded.

    Args:
        data: Content of the file.
        formats: Accepted formats, in Pillow's names.
        max_pixels: Accepted.

    Raises:
        ImageLimitError: It is such a file.
        DataError: Its structure is damaged.
    """
    found = format_of(data)
    if found in formats and found in _CHECKS:
        _CHECKS[found](data, max_pixels)


_CHECKS: dict[str, Callable[[bytes, int], None]] = {
    "BMP": check_bmp,
    "GIF": check_gif,
    "JPEG": check_jpeg,
    "PNG": check_png,
    "PPM": check_netpbm,
    "TIFF": check_tiff,
}


def decoding_bytes(image: Image.Image, data: bytes) -> int:
    """Return the maximum memory of decoding an image, in bytes.

    Args:
        image: Opened image, not yet decoded.
        data: The file.
    """
    width, height = image.size
    num_bytes = _BYTES_PER_ROW * max(width, height)
    if getattr(image, "content", data) is not data:
        num_bytes += len(data)  # a copy without the notes
    if image.format not in ("WEBP", "AVIF"):
        tags = getattr(image, "tag_v2", {})
        tile = int(tags.get(_TIFF_TILE_WIDTH, 0)) * int(tags.get(_TIFF_TILE_HEIGHT, 0))
        return num_bytes + _bytes_per_pixel(image, data) * max(width * height, tile)
    if b"VP8L" in data or b"ALPH" in data:
        # Lossless WebP may have its own code for each 4 x 4 pixels, each with tables.
        num_codes = min(
            _MAX_LOSSLESS_CODES,
            width * height // _LOSSLESS_BLOCK_PIXELS,
            8 * len(data) // _LOSSLESS_BLOCK_BITS,
        )
        num_bytes += _BYTES_PER_LOSSLESS_CODE * num_codes
    return num_bytes + _BYTES_PER_PIXEL_WEBP * width * height


def _bytes_per_pixel(image: Image.Image, data: bytes) -> int:
    if image.format == "PNG":
        return _BYTES_PER_PIXEL_DEEP if data[24] == 16 else _BYTES_PER_PIXEL
    if image.format == "PPM":
        return _BYTES_PER_PIXEL_DEEP if is_deep(data) else _BYTES_PER_PIXEL
    layout = getattr(image, "layout", None)  # of a TIFF
    if layout is None or not layout.is_deep:
        return _BYTES_PER_PIXEL
    return max(_BYTES_PER_PIXEL_DEEP, 7 * int(layout.pixel_bits) // 8)
