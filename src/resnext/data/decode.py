"""From an image file, however odd, to 8-bit RGB pixels the right way up."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from resnext.errors import DataError

EXTENSIONS = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
MAX_PIXELS = 128_000_000
"""Larger images are refused: a small file can claim any size and exhaust the memory."""

# Pillow's other formats stay shut: some start other programs (EPS), none holds photographs.
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")


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
    try:
        with warnings.catch_warnings():
            # Pillow warns of odd metadata and large sizes; we judge the pixels and the size.
            warnings.simplefilter("ignore")
            return _read(path, "RGB" if in_channels == 3 else "L")
    except (DataError, MemoryError):
        raise
    except OSError as error:
        raise DataError(error.strerror or _first_line(error)) from error
    # A damaged file can raise nearly anything in a decoder: struct.error, SyntaxError, ...
    except Exception as error:
        raise DataError(f"{type(error).__name__}: {_first_line(error)}") from error


def _read(path: Path, mode: str) -> Image.Image:
    if path.stat().st_size == 0:
        raise DataError("the file is empty")
    with path.open("rb") as file, Image.open(file, formats=_FORMATS) as image:
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise DataError(
                f"{width} x {height} pixels are more than the {MAX_PIXELS // 10**6} million "
                "accepted (a decompression bomb?)"
            )
        image.load()
        return _convert(_upright(image), mode)


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
