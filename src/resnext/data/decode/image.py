"""From an image file, however odd, to 8-bit RGB pixels the right way up."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile, UnidentifiedImageError

from resnext.data.decode.deep_png import PngFile
from resnext.data.decode.depth import assumed_of, mark_assumed
from resnext.data.decode.flatten import flatten
from resnext.data.decode.image_errors import NotAnImageError, TooManyPixelsError, check_size
from resnext.data.decode.image_limits import FORMATS, MAX_PIXELS, check_image, format_of
from resnext.data.decode.jpeg import Box, decode_top
from resnext.data.decode.jpeg_file import JpegFile
from resnext.data.decode.netpbm import netpbm_samples, to_full_range
from resnext.data.decode.orientation import FIRST_ON_ITS_SIDE, orientation_of, turned
from resnext.data.decode.samples import Samples
from resnext.data.decode.tiff_samples import TiffFile
from resnext.errors import DataError
from resnext.untrusted.parse import read_bytes

MAX_FILE_BYTES = 2**30
"""Larger files are refused: none of `MAX_PIXELS` needs more."""


def decode(path: Path, in_channels: int = 3) -> Image.Image:
    """Read an image file.

    Every color mode is converted; where a picture is transparent it lies on white, unless it is
    so everywhere; more than 8 bits are brought to 8 (see `depth`); the camera's orientation
    (EXIF) is honoured; of several frames the first is taken.

    Args:
        path: The file; its content decides the format, not its name.
        in_channels: 3 for RGB, 1 for grey.

    Returns:
        An image of mode RGB or L, loaded. `depth.assumed_of` tells what was assumed of its range.

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
    with judged():
        check_image(data, formats, max_pixels)
        try:
            image = _open(data, formats)
        except Image.DecompressionBombError as error:
            raise TooManyPixelsError(max_pixels) from error
    check_size(image.width, image.height, max_pixels)
    return image


_FILES: dict[str, Callable[[bytes], ImageFile.ImageFile]] = {
    "JPEG": JpegFile,
    "PNG": PngFile,
    "TIFF": TiffFile,
}


def _open(data: bytes, formats: Collection[str]) -> ImageFile.ImageFile:
    form = format_of(data)
    if form in _FILES and form in formats:
        return _FILES[form](data)
    return Image.open(io.BytesIO(data), formats=[form for form in formats if form in FORMATS])


class Photo:
    """An image whose header has been read, and whose pixels are decoded as far as needed.

    Attributes:
        size: Width and height, the right way up.
        assumed: What had to be assumed of the range of its values; empty if nothing, or if the
            pixels are not yet decoded.
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
        self.assumed = ""
        self._image = open_image(data, max_pixels=max_pixels)
        with judged():
            self._orientation = orientation_of(self._image)
        self.size = self._image.size
        if self._orientation >= FIRST_ON_ITS_SIDE:
            self.size = (self.size[1], self.size[0])
        # CMYK and turned ones go the long way.
        is_plain = self._image.format == "JPEG" and self._image.mode in ("RGB", "L")
        self._is_jpeg = is_plain and self._orientation == 1
        if isinstance(self._image, JpegFile):
            self._data = self._image.content

    def load(self) -> Image.Image:
        """Decode the whole image: mode RGB or L. `depth.assumed_of` tells what was assumed.

        Raises:
            DataError: As `decode`.
        """
        if self._whole is None:
            with judged():
                pixels = self._decode_top(self.size[1], 1)
                if pixels is None:
                    self._whole = self._convert()
                else:
                    self._whole = Image.fromarray(pixels).convert(self._mode)
            mark_assumed(self._whole, self.assumed)
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
        with judged():
            pixels = self._decode_top(box.bottom, factor)
        if pixels is None:
            return np.array(self.load().crop((box.left, box.top, box.right, box.bottom))), 1
        left, top = box.left // factor, box.top // factor
        right, bottom = -(-box.right // factor), -(-box.bottom // factor)
        pixels = pixels[top:bottom, left:right]
        if self._mode == "L":
            pixels = np.array(Image.fromarray(pixels).convert("L"))
        return pixels, factor

    def _convert(self) -> Image.Image:
        samples = self._samples()
        image = self._image if samples is None else samples.to_image()
        self.assumed = assumed_of(image)
        image.load()
        # What is not needed any more may be large.
        del samples, self._image
        image = turned(image, self._orientation)
        return flatten(image, self._mode)

    def _samples(self) -> Samples | None:
        """Read samples of more than 8 bits; None if Pillow decodes the image well."""
        image = self._image
        if isinstance(image, (PngFile, TiffFile)):
            return image.samples()
        if image.format == "PPM":
            if (samples := netpbm_samples(self._data)) is not None:
                return samples
            full = to_full_range(self._data)
            self._image = image = Image.open(io.BytesIO(full), formats=["PPM"])
        if image.mode in ("I", "F"):
            return Samples(np.asarray(image)[:, :, None])
        return None

    def _decode_top(self, bottom: int, factor: int) -> npt.NDArray[np.uint8] | None:
        if not self._is_jpeg:
            return None
        return decode_top(self._data, self.size, bottom, factor)


@contextlib.contextmanager
def judged() -> Iterator[None]:
    """Say of any error in a decoder that the file is bad."""
    try:
        with warnings.catch_warnings():
            # Pillow warns of odd metadata and large sizes; we judge the pixels and the size.
            warnings.simplefilter("ignore")
            yield
    except (DataError, MemoryError):
        raise
    except UnidentifiedImageError as error:  # its message is the address of our own object
        raise NotAnImageError("cannot identify an image of an accepted format") from error
    except OSError as error:
        raise DataError(error.strerror or _first_line(error)) from error
    # A damaged file can raise nearly anything in a decoder: struct.error, SyntaxError, ...
    except Exception as error:
        raise DataError(f"{type(error).__name__}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
