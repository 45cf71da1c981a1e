"""What a file becomes in a shard: its own bytes, or a smaller JPEG of it."""

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
    """How images are made smaller.

    Attributes:
        short_side_px: Reduce larger images to this short side; smaller ones are left alone.
        quality: Encode every image anew, as JPEG of this quality. By default only the
            reduced ones, with 90.
    """

    short_side_px: int | None = None
    quality: int | None = None


@dataclass(frozen=True)
class Header:
    """What the first bytes of an image file say: its ending, mode and sides in pixels."""

    ending: str
    mode: str
    size: tuple[int, int]


def encode(
    content: bytes, encoding: Encoding, assumed: list[str] | None = None
) -> tuple[str, bytes]:
    """Return the ending and the bytes that go into the shard.

    Bytes that are kept are those of the file, whatever its format. An image is reduced
    with the filter of evaluation, so the later resize to the same side is the identity.

    Args:
        content: What the file holds.
        encoding: What becomes of it.
        assumed: Gets what had to be assumed of the range of the image's values.

    Raises:
        DataError: The file is no whole image.
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
        DataError: It is no image that can be decoded.
    """
    with open_image(content) as image:
        # Pillow calls a JPEG with previews inside MPO.
        ending = _ENDINGS.get(image.format or "", "jpg")
        return Header(ending, image.mode, image.size)


def _is_whole(content: bytes, header: Header) -> bool:
    """Tell cheaply that a JPEG is whole; of anything else the decoder must be asked.

    A torn JPEG lacks the end marker. Decoding a million photographs to find the few torn
    ones takes hours, this takes none.
    """
    is_plain = header.ending == "jpg" and header.mode in _PLAIN_MODES
    return is_plain and content.endswith(_END_OF_JPEG)
