"""From a mask file to the value of every pixel, as the file holds it: nothing is converted."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from resnext.data.decode.image import judged, open_image
from resnext.data.decode.image_errors import NotAnImageError
from resnext.errors import DataError

_BITS, _COLOR = 24, 25  # where a PNG's header says them
_GREY = 0
_ACCEPTED = "masks are PNG files with one value a pixel, grey or with a palette"
_FORMATS = ("PNG",)


def decode_mask(data: bytes) -> npt.NDArray[np.uint8]:
    """Decode a mask, in bounded time and memory.

    Args:
        data: What its file holds.

    Returns:
        h x w. Of a file with a palette these are its indices; grey levels of fewer than 8 bits stay
        as they are, though Pillow would spread them over 0 to 255.

    Raises:
        DataError: It is no PNG, has colours or transparency instead of class numbers, or values
            above 255. The message is the reason only.
    """
    try:
        image = open_image(data, _FORMATS)
    except NotAnImageError as error:
        raise DataError(
            f"{error}; {_ACCEPTED}, since other formats may change the values"
        ) from error
    if image.mode not in ("1", "L", "P", "I;16", "I;16B", "I"):
        raise DataError(
            f"has colours ({image.mode}) instead of class numbers; {_ACCEPTED}: replace each "
            "colour by the number of its class"
        )
    with judged():
        values = np.asarray(image)
    if values.dtype == np.bool_ or values.max(initial=0) <= np.iinfo(np.uint8).max:
        values = values.astype(np.uint8)
    else:
        raise DataError(f"has the value {int(values.max())}; class numbers go from 0 to 255")
    bits = data[_BITS]
    if data[_COLOR] == _GREY and 1 < bits < 8:
        values //= 255 // (2**bits - 1)
    return values
