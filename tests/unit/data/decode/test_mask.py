"""Mask files from outside: bounded, and refused in one line."""

import io
import zlib

import numpy as np
import pytest
from hostile_images import chunk, png_of, saved
from PIL import Image

from resnext.data.decode.mask import decode_mask
from resnext.errors import DataError

GREY, RGB, PALETTE = 0, 2, 3


def png_of_palette(size: tuple[int, int], rows: bytes) -> bytes:
    plain = png_of(size, 8, PALETTE, rows)
    return plain[:33] + chunk(b"PLTE", bytes(768)) + plain[33:]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"no image", "masks are PNG files"),
        (saved("BMP"), "masks are PNG files"),
        (saved("PNG"), "has colours .RGB. instead of class numbers"),
        (saved("PNG", mode="LA"), "has colours .LA."),
        (png_of((60_000, 60_000), 8, GREY, bytes(100)), "million accepted"),
        (png_of((3_000, 3_000), 8, GREY, bytes(100)), "too short"),
        (png_of((64, 64), 8, GREY, bytes(65 * 64))[:-30], "."),
    ],
)
def test_bad_masks_are_refused_in_one_line(data: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        decode_mask(data)
    assert "\n" not in str(caught.value)


def test_indices_outside_the_palette_are_values_like_others() -> None:
    rows = b"".join(b"\0" + bytes([200, 7]) for _ in range(2))
    assert decode_mask(png_of_palette((2, 2), rows)).tolist() == [[200, 7], [200, 7]]


def test_deep_masks_may_hold_small_numbers_only() -> None:
    for largest, is_good in ((255, True), (300, False)):
        file = io.BytesIO()
        Image.fromarray(np.array([[0, largest]], dtype=np.uint16)).save(file, "PNG")
        if is_good:
            assert decode_mask(file.getvalue()).tolist() == [[0, 255]]
            continue
        with pytest.raises(DataError, match="has the value 300; class numbers go from 0 to 255"):
            decode_mask(file.getvalue())


def test_a_damaged_stream_is_no_mask() -> None:
    plain = png_of((64, 64), 8, GREY, bytes(65 * 64))
    packed = zlib.compress(bytes(65 * 64), 9)
    torn = plain.replace(packed, packed[:10] + b"\xff" * (len(packed) - 10))
    with pytest.raises(DataError):
        decode_mask(torn)
