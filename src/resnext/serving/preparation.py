"""One image of a request, judged by its header and made ready as evaluation would."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from resnext.data.decode.depth import AssumptionLog, assumed_of
from resnext.data.decode.image import decode_bytes, open_image
from resnext.data.decode.image_errors import ImageLimitError, NotAnImageError, TooManyPixelsError
from resnext.data.decode.image_limits import MAX_PIXELS, decoding_bytes
from resnext.data.prepare.geometry import cut_long
from resnext.data.prepare.preparation import Preparation
from resnext.errors import DataError
from resnext.model.card import ModelCard
from resnext.serving.limits import Limits
from resnext.serving.problems import Problem

_ASSUMPTIONS = AssumptionLog()  # one for all requests


def check_header(data: bytes, limits: Limits) -> int:
    """Judge an image without decoding it.

    Args:
        data: The image file.
        limits: Formats and pixels that are accepted.

    Returns:
        The memory in bytes that decoding it takes at most.

    Raises:
        Problem: 400 a torn header or far more work than the pixels are worth, 413 too many
            pixels, 415 no image or another format.
    """
    formats = [name.upper() for name in limits.formats]
    max_pixels = min(MAX_PIXELS, int(limits.max_megapixels * 1e6))
    try:
        with open_image(data, formats, max_pixels) as image:
            return decoding_bytes(image, data)
    except NotAnImageError as error:
        accepted = ", ".join(limits.formats)
        raise Problem(
            415, "unsupported_format", f"not an image of an accepted format ({accepted})"
        ) from error
    except TooManyPixelsError as error:
        raise _too_large(limits) from error
    except ImageLimitError as error:
        raise Problem(400, "bad_image", str(error)) from error
    except DataError as error:
        raise _damaged() from error


def decode_image(data: bytes, in_channels: int) -> Image.Image:
    """Decode an image whose header is good.

    Raises:
        Problem: 400, the image is damaged.
    """
    try:
        image = decode_bytes(data, in_channels)
    except DataError as error:
        raise _damaged() from error
    _ASSUMPTIONS.report("an image of a request", assumed_of(image))
    return image


def crop(image: Image.Image, card: ModelCard, size_px: int) -> npt.NDArray[np.uint8]:
    """Resize an image and cut out its middle, as `resnext predict` does.

    Args:
        image: RGB or grey.
        card: How the network wants its images.
        size_px: Side of the crop.

    Returns:
        size_px x size_px x c.
    """
    return _pixels(Preparation.of_card(card, size_px).crop(image))


def uncropped(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Return an image for a network that resizes and crops inside: h x w x c."""
    return _pixels(cut_long(image))


def _pixels(image: Image.Image) -> npt.NDArray[np.uint8]:
    pixels = np.array(image)
    return pixels if pixels.ndim == 3 else pixels[:, :, np.newaxis]


def _too_large(limits: Limits) -> Problem:
    return Problem(
        413,
        "too_many_pixels",
        f"the image has more than the {limits.max_megapixels:g} million pixels accepted",
    )


def _damaged() -> Problem:
    return Problem(400, "bad_image", "the image is damaged or cut short")
