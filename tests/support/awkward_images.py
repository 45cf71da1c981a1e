"""Image files of every kind that a user may have: those that are read, and those that are not."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
from hostile_images import chunk, jpeg_of_scans, png_with
from made_images import grey8, packed_png, pgm, png, rgb8, tiff
from PIL import Image

_ORIENTATION = 0x0112


def photo(width: int = 53, height: int = 37, mode: str = "RGB") -> Image.Image:
    """Return smooth colours with a bright corner, so that each turn of it is another picture."""
    rng = np.random.default_rng(width * height)
    coarse = rng.integers(0, 200, (4, 5, 3), dtype=np.uint8)
    coarse[0, 0] = 255
    image = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    return image.convert(mode)


def saved(image: Image.Image, form: str, **how: Any) -> bytes:
    """Return an image as a file."""
    file = io.BytesIO()
    image.save(file, form, **how)
    return file.getvalue()


def with_alpha(mode: str) -> Image.Image:
    """Return a photo whose transparency grows from left to right."""
    image = photo(mode=mode)
    ramp = np.tile(np.linspace(0, 255, image.width).astype(np.uint8), (image.height, 1))
    image.putalpha(Image.fromarray(ramp))
    return image


def turned(orientation: int) -> bytes:
    """Return a JPEG whose EXIF says how the camera was held."""
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    return saved(photo(), "JPEG", exif=exif, quality=90)


def transparent_palette() -> bytes:
    """Return a PNG of 16 colours, of which some are half transparent."""
    return saved(photo().quantize(16), "PNG", transparency=bytes(range(0, 256, 16)))


def bits12() -> np.ndarray:
    """Return 12 bits in 16, as cameras write them."""
    return grey8().astype(np.uint16) * 16


def good_images() -> dict[str, bytes]:
    """Return files that are read, by a name whose ending is usual for them."""
    frames = [photo(), photo().rotate(180)]
    deep = rgb8().astype(np.uint16) * 257
    animation = {"save_all": True, "append_images": frames[1:], "duration": 50}
    cmyk = np.concatenate([rgb8(), grey8()[..., None]], axis=2)
    return {
        **{f"turned{number}.jpg": turned(number) for number in range(1, 9)},
        "plain.jpg": saved(photo(), "JPEG"),
        "progressive.jpg": saved(photo(), "JPEG", progressive=True),
        "grey.jpg": saved(photo(mode="L"), "JPEG"),
        "cmyk.jpg": saved(photo(mode="CMYK"), "JPEG"),
        "plain.png": saved(photo(), "PNG"),
        "grey.png": saved(photo(mode="L"), "PNG"),
        "alpha.png": saved(with_alpha("RGB"), "PNG"),
        "grey-alpha.png": saved(with_alpha("L"), "PNG"),
        "transparent.png": saved(Image.new("RGBA", (40, 30), (200, 30, 10, 0)), "PNG"),
        "palette.png": saved(photo().quantize(16), "PNG"),
        "palette-alpha.png": transparent_palette(),
        "one-bit.png": packed_png([b"\xa5\x5a\xc0"] * 13, (18, 13), 1, 0),
        "grey16.png": png(grey8().astype(np.uint16) * 257, 0),
        "grey12.png": png(bits12(), 0),
        "grey12-declared.png": png(bits12(), 0, chunk(b"sBIT", b"\x0c")),
        "rgb16.png": png(deep, 2),
        "animated.png": saved(frames[0], "PNG", **animation),
        "animated.gif": saved(frames[0], "GIF", **animation),
        "one-colour.gif": saved(Image.new("P", (9, 9), 3), "GIF"),
        "lossy.webp": saved(photo(), "WEBP"),
        "lossless-alpha.webp": saved(with_alpha("RGB"), "WEBP", lossless=True),
        "plain.bmp": saved(photo(), "BMP"),
        "plain.ppm": pgm(rgb8(), 255),
        "deep.pgm": pgm(bits12(), 4095),
        "lzw.tif": saved(photo(), "TIFF", compression="tiff_lzw"),
        "planar16.tif": tiff(deep, 2, planar=True),
        "floats.tif": tiff((grey8() / 255).astype(np.float32)[..., None], 1),
        "white-is-zero.tif": tiff(grey8()[..., None], 0),
        "cmyk.tif": tiff(cmyk, 5),
        "one-pixel.png": saved(Image.new("RGB", (1, 1), (250, 120, 3)), "PNG"),
        "very-wide.png": saved(photo(900, 11), "PNG"),
        "very-tall.jpg": saved(photo(7, 600), "JPEG"),
        "of-the-crops-size.png": saved(photo(16, 16), "PNG"),
    }


def bad_images() -> dict[str, bytes]:
    """Return files that no command reads, under names of images."""
    jpeg, plain = saved(photo(200, 150), "JPEG"), saved(photo(200, 150), "PNG")
    huge = bytearray(saved(photo(), "BMP"))
    huge[18:26] = struct.pack("<ll", 60_000, 60_000)
    return {
        "empty.jpg": b"",
        "text.png": b"no image\n" * 20,
        "torn.jpg": jpeg[: len(jpeg) // 2],
        "torn.png": plain[: len(plain) // 2],
        "page.webp": b"<!doctype html><title>404</title>",
        "of-chunks.png": png_with(20_000 * chunk(b"abCd", b"")),
        "of-scans.jpg": jpeg_of_scans(101),
        "huge.bmp": bytes(huge),
    }
