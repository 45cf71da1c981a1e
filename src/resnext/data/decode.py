"""From an image file, however odd, to 8-bit RGB pixels the right way up."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageOps

from resnext.data.jpeg import Box, decode_top
from resnext.errors import DataError

EXTENSIONS = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
MAX_PIXELS = 128_000_000
"""Larger images are refused: a small file can claim any size and exhaust the memory."""

# Pillow's other formats stay shut: some start other programs (EPS), none holds photographs.
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
_FIRST_ON_ITS_SIDE = 5  # of the eight orientations of EXIF


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
        DataError: The file is missing, empty, truncated, corrupt, no image or larger than
            `MAX_PIXELS`. The message is the reason only; the caller knows the file.
    """
    return decode_bytes(read_file(path), in_channels)


def decode_bytes(data: bytes, in_channels: int = 3) -> Image.Image:
    """Decode what an image file holds, as `decode` does."""
    return Photo(data, in_channels).load()


def read_file(path: Path) -> bytes:
    """Return what a file holds.

    Raises:
        DataError: It cannot be read; the message is the reason only.
    """
    with _judged(), path.open("rb") as file:
        return file.read()


class Photo:
    """An image whose header has been read, and whose pixels are decoded as far as needed.

    Attributes:
        size: Width and height, the right way up.
    """

    def __init__(self, data: bytes, in_channels: int = 3) -> None:
        """Read the header.

        Args:
            data: What the file holds.
            in_channels: 3 for RGB, 1 for grey.

        Raises:
            DataError: As `decode`.
        """
        if not data:
            raise DataError("the file is empty")
        self._data = data
        self._mode = "RGB" if in_channels == 3 else "L"
        self._whole: Image.Image | None = None
        with _judged():
            self._image = Image.open(io.BytesIO(data), formats=_FORMATS)
            _check_size(self._image)
            orientation = _orientation(self._image)
        self.size = self._image.size
        if orientation >= _FIRST_ON_ITS_SIDE:
            self.size = (self._image.height, self._image.width)
        # CMYK, the several parts of a phone's picture (MPO) and turned ones go the long way.
        is_plain = self._image.format == "JPEG" and self._image.mode in ("RGB", "L")
        self._is_jpeg = is_plain and orientation == 1

    def load(self) -> Image.Image:
        """Decode the whole image: mode RGB or L.

        Raises:
            DataError: As `decode`.
        """
        if self._whole is None:
            with _judged():
                pixels = self._decode_top(self.size[1], 1)
                if pixels is None:
                    self._image.load()
                    self._whole = _convert(_upright(self._image), self._mode)
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


def _check_size(image: Image.Image) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise DataError(
            f"{width} x {height} pixels are more than the {MAX_PIXELS // 10**6} million "
            "accepted (a decompression bomb?)"
        )


def _orientation(image: Image.Image) -> int:
    """Return how the camera was held: 1 is upright, 5 and above on its side."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    # Pixels are good even where the camera's notes beside them are not: any parsing error.
    except Exception:
        return 1
    return orientation if orientation in range(2, 9) else 1


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    # Pixels are good even where the camera's notes beside them are not: any parsing error.
    except Exception:
        return image


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
