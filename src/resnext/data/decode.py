"""From an image file, however odd, to 8-bit RGB pixels the right way up."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile, TiffImagePlugin, UnidentifiedImageError

from resnext.data.image_errors import NotAnImageError, TooManyPixelsError, check_size
from resnext.data.image_limits import FORMATS, MAX_PIXELS, check_image
from resnext.data.jpeg import Box, decode_top
from resnext.data.netpbm import to_full_range
from resnext.data.orientation import FIRST_ON_ITS_SIDE, orientation_of, turned
from resnext.errors import DataError
from resnext.untrusted.parse import read_bytes

EXTENSIONS = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
MAX_FILE_BYTES = 2**30
"""Larger files are refused: none of `MAX_PIXELS` needs more."""


def decode(path: Path, in_channels: int = 3) -> Image.Image:
    """Read an image file.

    Every colour mode is converted; where a picture is transparent it lies on white; 16 bits
    are cut to 8; the camera's orientation (EXIF) is honoured; of several frames the first
    is taken.

    Args:
        path: The file; its content decides the format, not its name.
        in_channels: 3 for RGB, 1 for grey.

    Returns:
        An image of mode RGB or L, loaded.

    Raises:
        DataError: The file is missing, empty, truncated, corrupt, no image, larger than
            `MAX_PIXELS` or far more work than its pixels are worth (see `check_image`). The
            message is the reason only; the caller knows the file.
    """
    return decode_bytes(read_file(path), in_channels)


def decode_bytes(data: bytes, in_channels: int = 3) -> Image.Image:
    """Decode what an image file holds, as `decode` does."""
    return Photo(data, in_channels).load()


def read_file(path: Path) -> bytes:
    """Return what a file holds.

    Raises:
        DataError: It cannot be read, is no regular file or larger than `MAX_FILE_BYTES`; the
            message is the reason only.
    """
    try:
        return read_bytes(path, MAX_FILE_BYTES)
    except OSError as error:
        raise DataError(error.strerror or _first_line(error)) from error
    except ValueError as error:
        raise DataError(str(error)) from error


def open_image(
    data: bytes, formats: Collection[str] = FORMATS, max_pixels: int = MAX_PIXELS
) -> ImageFile.ImageFile:
    """Read the header of an image file, in bounded time; every file from outside comes here.

    Args:
        data: What the file holds.
        formats: Those that are accepted, as Pillow names them.
        max_pixels: Accepted.

    Raises:
        NotAnImageError: It is empty, or of none of the formats.
        TooManyPixelsError: It is too large.
        ImageLimitError: It is far more work than its pixels are worth.
        DataError: Its header is damaged.
    """
    if not data:
        raise NotAnImageError("the file is empty")
    with _judged():
        check_image(data, formats, max_pixels)
        try:
            image = Image.open(io.BytesIO(data), formats=list(formats))
        except UnidentifiedImageError as error:
            raise NotAnImageError("cannot identify an image of an accepted format") from error
        except Image.DecompressionBombError as error:
            raise TooManyPixelsError(max_pixels) from error
    check_size(image.width, image.height, max_pixels)
    return image


class Photo:
    """An image whose header has been read, and whose pixels are decoded as far as needed.

    A PNG without EXIF metadata before its pixels is decoded at once, to find it behind them.

    Attributes:
        size: Width and height, the right way up.
    """

    def __init__(self, data: bytes, in_channels: int = 3, *, max_pixels: int = MAX_PIXELS) -> None:
        """Read the header.

        Args:
            data: What the file holds.
            in_channels: 3 for RGB, 1 for grey.
            max_pixels: Accepted.

        Raises:
            DataError: As `decode`.
        """
        self._data = data
        self._mode = "RGB" if in_channels == 3 else "L"
        self._whole: Image.Image | None = None
        self._image = open_image(data, max_pixels=max_pixels)
        with _judged():
            self._orientation = orientation_of(self._image)
        self.size = self._image.size
        if isinstance(self._image, TiffImagePlugin.TiffImageFile):
            self.size = (
                self._image.tag_v2[TiffImagePlugin.IMAGEWIDTH],
                self._image.tag_v2[TiffImagePlugin.IMAGELENGTH],
            )
        if self._orientation >= FIRST_ON_ITS_SIDE:
            self.size = (self.size[1], self.size[0])
        # CMYK, the several parts of a phone's picture (MPO) and turned ones go the long way.
        is_plain = self._image.format == "JPEG" and self._image.mode in ("RGB", "L")
        self._is_jpeg = is_plain and self._orientation == 1

    def load(self) -> Image.Image:
        """Decode the whole image: mode RGB or L.

        Raises:
            DataError: As `decode`.
        """
        if self._whole is None:
            with _judged():
                pixels = self._decode_top(self.size[1], 1)
                if pixels is None:
                    self._whole = _convert(self._upright(), self._mode)
                else:
                    self._whole = Image.fromarray(pixels).convert(self._mode)
        return self._whole

    def crop(self, box: Box, factor: int) -> tuple[npt.NDArray[np.uint8], int]:
        """Decode a part of the image, and little more than that if the format allows it.

        Args:
            box: The part, inside the image.
            factor: 8, 4, 2 or 1: a so many times smaller image would do.

        Returns:
            h x w x 3, or h x w if grey, and how many times smaller it is: the factor, or 1 if the
            format has no scales. Pixels that the box cuts through are included.

        Raises:
            DataError: As `decode`.
        """
        with _judged():
            pixels = self._decode_top(box.bottom, factor)
        if pixels is None:
            return np.array(self.load().crop((box.left, box.top, box.right, box.bottom))), 1
        left, top = box.left // factor, box.top // factor
        right, bottom = -(-box.right // factor), -(-box.bottom // factor)
        pixels = pixels[top:bottom, left:right]
        if self._mode == "L":
            pixels = np.array(Image.fromarray(pixels).convert("L"))
        return pixels, factor

    def _upright(self) -> Image.Image:
        if self._image.format == "PPM":
            self._image = Image.open(io.BytesIO(to_full_range(self._data)), formats=["PPM"])
        self._image.load()
        return turned(self._image, self._orientation)

    def _decode_top(self, bottom: int, factor: int) -> npt.NDArray[np.uint8] | None:
        if not self._is_jpeg:
            return None
        return decode_top(self._data, self.size, bottom, factor)


@contextlib.contextmanager
def _judged() -> Iterator[None]:
    """Say of any error in a decoder that the file is bad."""
    try:
        with warnings.catch_warnings():
            # Pillow warns of odd metadata and large sizes; we judge the pixels and the size.
            warnings.simplefilter("ignore")
            yield
    except (DataError, MemoryError):
        raise
    except OSError as error:
        raise DataError(error.strerror or _first_line(error)) from error
    # A damaged file can raise nearly anything in a decoder: struct.error, SyntaxError, ...
    except Exception as error:
        raise DataError(f"{type(error).__name__}: {_first_line(error)}") from error


def _convert(image: Image.Image, mode: str) -> Image.Image:
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        image = _to_8_bits(image)
    if image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert(mode)


def _to_8_bits(image: Image.Image) -> Image.Image:
    """Keep the upper 8 of 16 bits; Pillow's own conversion would clip at 255."""
    values = np.asarray(image)
    if values.dtype.kind == "f" or values.min() < 0 or values.max() > 0xFFFF:
        raise DataError("pixels of more than 16 bits; save the image with 8 or 16 bits")
    return Image.fromarray((values.astype(np.uint16) >> 8).astype(np.uint8))


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
