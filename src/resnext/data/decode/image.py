"""Decodes any image file to upright 8-bit RGB pixels."""

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
"""Larger files are refused; no image of `MAX_PIXELS` needs more."""


def decode(path: Path, in_channels: int = 3) -> Image.Image:
    """Read an image file.

    Every color mode is converted; transparent images are composited on white, unless fully
    transparent; higher bit depths are reduced to 8 (see `depth`); the EXIF orientation is applied;
    of several frames the first is used.

    Args:
        path: The file; its format is detected from its content, not its name.
        in_channels: 3 for RGB, 1 for grey.

    Returns:
        A loaded image of mode RGB or L. `depth.assumed_of` describes assumptions about its range.

    Raises:
        DataError: The file is missing, empty, truncated, corrupt, not an image, larger than
            `MAX_PIXELS` or disproportionately expensive to decode (see `check_image`). The message
            is only the reason; the caller adds the file.
    """
    return decode_bytes(read_file(path), in_channels)


def decode_bytes(data: bytes, in_channels: int = 3) -> Image.Image:
    """Decode the content of an image file, like `decode`."""
    return Photo(data, in_channels).load()


def read_file(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        DataError: It cannot be read, is not a regular file or is larger than `MAX_FILE_BYTES`; the
            message is only the reason.
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
    """Read the header of an image file in bounded time; used for all untrusted files.

    Args:
        data: Content of the file.
        formats: Accepted formats, in Pillow's names.
        max_pixels: Accepted.

    Raises:
        NotAnImageError: It is empty, or of another format.
        TooManyPixelsError: It is too large.
        ImageLimitError: It is disproportionately expensive to decode.
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
    """An image whose header has been read, and whose pixels are decoded on demand.

    Attributes:
        size: Width and height, after orientation.
        assumed: What had to be assumed about its value range; empty if nothing, or before decoding.
    """

    def __init__(self, data: bytes, in_channels: int = 3, *, max_pixels: int = MAX_PIXELS) -> None:
        """Read the header.

        Args:
            data: Content of the file.
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
        """Decode the whole image to mode RGB or L. `depth.assumed_of` describes assumptions.

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
        """Decode a part of the image, and little more if the format allows it.

        Args:
            box: The part, inside the image.
            factor: 8, 4, 2 or 1: allowed reduction of the size.

        Returns:
            h x w x 3, or h x w if grey, and the reduction: the factor, or 1 if the format does not
            support scaling. Pixels partly inside the box are included.

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
        """Read samples of more than 8 bits; None if Pillow decodes the image correctly."""
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
    """Turn any error in a decoder into a bad-file error."""
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
