"""Checks the header of an image and decodes it, with errors for callers."""

from __future__ import annotations

from PIL import Image

from resnext.data.decode.image import open_image
from resnext.data.decode.image_errors import ImageLimitError, NotAnImageError, TooManyPixelsError
from resnext.data.decode.image_limits import MAX_PIXELS, decoding_bytes
from resnext.data.prepare.geometry import Pixels
from resnext.errors import DataError
from resnext.inference.preprocessor import Preprocessor
from resnext.serving.limits import Limits
from resnext.serving.problems import HttpError


def check_header(data: bytes, limits: Limits) -> int:
    """Check an image without decoding it.

    Args:
        data: The image file.
        limits: Accepted formats and sizes.

    Returns:
        The maximum memory that decoding it takes, in bytes.

    Raises:
        HttpError: 400 if the header is damaged or decoding would take far more work than the
            pixels justify, 413 for too many pixels, 415 for another format.
    """
    formats = [name.upper() for name in limits.formats]
    max_pixels = min(MAX_PIXELS, int(limits.max_megapixels * 1e6))
    try:
        with open_image(data, formats, max_pixels) as image:
            return decoding_bytes(image, data)
    except NotAnImageError as error:
        accepted = ", ".join(limits.formats)
        raise HttpError(
            415, "unsupported_format", f"not an image of an accepted format ({accepted})"
        ) from error
    except TooManyPixelsError as error:
        raise _too_large(limits) from error
    except ImageLimitError as error:
        raise HttpError(400, "bad_image", str(error)) from error
    except DataError as error:
        raise _damaged() from error


def decode_image(data: bytes, preprocessor: Preprocessor) -> Image.Image:
    """Decode an image whose header was checked.

    Raises:
        HttpError: 400, the image is damaged.
    """
    try:
        return preprocessor.decode(data, "an image of a request")
    except DataError as error:
        raise _damaged() from error


def prepare_image(image: Image.Image, preprocessor: Preprocessor) -> Pixels:
    """Return the network's input for a decoded image.

    Raises:
        HttpError: 400, it is too long and narrow for the network.
    """
    try:
        return preprocessor.pixels(image)
    except DataError as error:
        raise HttpError(400, "bad_image", str(error)) from error


def _too_large(limits: Limits) -> HttpError:
    return HttpError(
        413,
        "too_many_pixels",
        f"the image has more than the {limits.max_megapixels:g} million pixels accepted",
    )


def _damaged() -> HttpError:
    return HttpError(400, "bad_image", "the image is damaged or cut short")
