"""Encodes a file for a shard: its original bytes, or a smaller JPEG."""

from __future__ import annotations

import io
from dataclasses import dataclass

from PIL import Image

from resnext.data.decode.depth import assumed_of
from resnext.data.decode.image import decode_bytes, open_image
from resnext.data.prepare.geometry import resize_short_side
from resnext.errors import DataError

_DEFAULT_QUALITY = 90  # of reduced images: hardly visible, and half the size of 95
_MAX_FILE = 0xFFFFFFFF  # the table keeps sizes in 32 bits
_END_OF_JPEG = b"\xff\xd9"
_PLAIN_MODES = ("RGB", "L", "CMYK")
# The ending tells readers of WebDataset how to decode a member.
_ENDINGS = {
    "AVIF": "avif",
    "BMP": "bmp",
    "GIF": "gif",
    "JPEG": "jpg",
    "PNG": "png",
    "PPM": "ppm",
    "TIFF": "tif",
    "WEBP": "webp",
}


@dataclass(frozen=True)
class Encoding:
    """How images are reduced.

    Attributes:
        short_side_px: Reduce larger images to this short side; smaller ones are unchanged.
        quality: Re-encode every image as JPEG of this quality. By default only reduced ones, with
            quality 90.
    """

    short_side_px: int | None = None
    quality: int | None = None


@dataclass(frozen=True)
class Header:
    """Extension, mode and sides in pixels from an image file's header."""

    ending: str
    mode: str
    size: tuple[int, int]


def encode(
    content: bytes, encoding: Encoding, assumed: list[str] | None = None
) -> tuple[str, bytes]:
    """Return the extension and the bytes for the shard.

    Unchanged images keep the bytes of their file, in any format. Images are reduced with the filter
    of evaluation, so a later resize to the same side is the identity.

    Args:
        content: Content of the file.
        encoding: How to store it.
        assumed: Collects assumptions about the value range of images.

    Raises:
        DataError: The file is not a complete image.
    """
    if len(content) > _MAX_FILE:
        raise DataError(f"the file has {len(content)} bytes, more than 4 GiB")
    header = read_header(content)
    side = encoding.short_side_px
    reduces = side is not None and min(header.size) > side
    if not reduces and encoding.quality is None:
        if not _is_whole(content, header):
            _note_assumed(decode_bytes(content), assumed)
        return header.ending, content
    image = decode_bytes(content)
    _note_assumed(image, assumed)
    if reduces:
        assert side is not None
        image = resize_short_side(image, side)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=encoding.quality or _DEFAULT_QUALITY)
    return "jpg", file.getvalue()


def _note_assumed(image: Image.Image, assumed: list[str] | None) -> None:
    if assumed is not None and (found := assumed_of(image)):
        assumed.append(found)


def read_header(content: bytes) -> Header:
    """Read the header of an image file.

    Raises:
        DataError: It cannot be decoded as an image.
    """
    with open_image(content) as image:
        # Pillow calls a JPEG with previews inside MPO.
        ending = _ENDINGS.get(image.format or "", "jpg")
        return Header(ending, image.mode, image.size)


def _is_whole(content: bytes, header: Header) -> bool:
    """Return whether a JPEG is complete, cheaply; other formats must be decoded to know.

    A truncated JPEG lacks the end marker. Decoding a million photographs to find the few truncated
    ones would take hours.
    """
    is_plain = header.ending == "jpg" and header.mode in _PLAIN_MODES
    return is_plain and content.endswith(_END_OF_JPEG)
