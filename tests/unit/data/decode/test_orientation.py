"""The camera's orientation, for every format that can say it."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hostile_images import chunk
from made_images import png, tiff
from PIL import Image

from resnext.data.augment.config import AugmentConfig
from resnext.data.augment.transform import SampleTransform
from resnext.data.decode.image import Photo, decode_bytes
from resnext.data.decode.jpeg import Box

TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: np.fliplr(np.rot90(a, 3)),
    6: lambda a: np.rot90(a, 3),  # the camera lay on its left side: turn right
    7: lambda a: np.fliplr(np.rot90(a)),
    8: np.rot90,
}
# 2 x 3 blocks of 32 pixels, each of its own color and none black, so that lossy formats keep them.
_COLORS = np.array(
    [
        [[255, 60, 60], [60, 255, 60], [60, 60, 255]],
        [[255, 255, 60], [60, 255, 255], [255, 60, 255]],
    ],
    dtype=np.uint8,
)
_BLOCK = 32
PIXELS = _COLORS.repeat(_BLOCK, axis=0).repeat(_BLOCK, axis=1)


def _saved(form: str, **how: Any) -> Callable[[int], bytes]:
    def made(orientation: int) -> bytes:
        exif, file = Image.Exif(), io.BytesIO()
        exif[0x0112] = orientation
        Image.fromarray(PIXELS).save(file, form, exif=exif, **how)
        return file.getvalue()

    return made


def _exif(orientation: int) -> bytes:
    return b"II*\0\x08\0\0\0\1\0" + struct.pack("<HHLHHL", 0x0112, 3, 1, orientation, 0, 0)


def _png_with_exif_behind(orientation: int) -> bytes:
    data = png(PIXELS, 2)
    return data[:-12] + chunk(b"eXIf", _exif(orientation)) + data[-12:]


def _png_with_text(orientation: int) -> bytes:
    lines = b"\nexif\n      34\n" + _exif(orientation).hex().encode()
    return png(PIXELS, 2, chunk(b"tEXt", b"Raw profile type exif\0" + lines))


def _png_with_xmp(orientation: int) -> bytes:
    text = b'<x tiff:Orientation="%d"/>' % orientation
    return png(PIXELS, 2, chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + text))


def _tiff(values: np.ndarray, **how: Any) -> Callable[[int], bytes]:
    return lambda orientation: tiff(values, 2, tags=[(274, 3, [orientation])], **how)


FILES: dict[str, Callable[[int], bytes]] = {
    "JPEG": _saved("JPEG", quality=95),
    "JPEG, progressive": _saved("JPEG", quality=95, progressive=True),
    "MPO": _saved("MPO", quality=95, save_all=True, append_images=[Image.new("RGB", (9, 9))]),
    "PNG": _saved("PNG"),
    "PNG, behind the pixels": _png_with_exif_behind,
    "PNG, in a text": _png_with_text,
    "PNG, in XMP": _png_with_xmp,
    "WebP": _saved("WEBP", quality=95),
    "WebP, lossless": _saved("WEBP", lossless=True),
    "AVIF": _saved("AVIF", quality=95),
    "TIFF": _saved("TIFF"),
    "TIFF, LZW": _saved("TIFF", compression="tiff_lzw"),
    "TIFF, JPEG": _saved("TIFF", compression="jpeg", quality=95),
    "TIFF, strips": _tiff(PIXELS, rows_per_strip=7),
    "TIFF, larger byte first": _tiff(PIXELS, order=">"),
    "TIFF, planes": _tiff(PIXELS, planar=True),
    "TIFF, 16 bits": _tiff(PIXELS.astype("u2") * 257),
    "TIFF, 12 bits in 16": _tiff(PIXELS.astype("u2") * 16),
    "TIFF, floats": _tiff((PIXELS / 255).astype("f4")),
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", FILES)
def test_an_image_is_turned_whole_and_its_size_is_known_before(name: str, orientation: int) -> None:
    data = FILES[name](orientation)
    wanted = TURNS[orientation](PIXELS).astype(int)
    photo = Photo(data)
    assert photo.size == (wanted.shape[1], wanted.shape[0])
    found = np.asarray(photo.load()).astype(int)
    assert photo.size == photo.load().size
    assert found.shape == wanted.shape
    inside = np.arange(_BLOCK // 2, min(wanted.shape[:2]), _BLOCK)  # the middles of blocks
    rows = np.arange(_BLOCK // 2, wanted.shape[0], _BLOCK)
    columns = np.arange(_BLOCK // 2, wanted.shape[1], _BLOCK)
    assert len(inside)
    assert np.abs((found - wanted)[np.ix_(rows, columns)]).max() <= 20
    grey = decode_bytes(data, in_channels=1)
    assert grey.size == photo.size


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", FILES)
def test_training_crops_are_cut_from_the_turned_image(name: str, orientation: int) -> None:
    data = FILES[name](orientation)
    wanted = TURNS[orientation](PIXELS).astype(int)
    height, width = wanted.shape[:2]
    box = Box(width - 30, height - 30, 28, 28)  # inside the last block
    pixels, factor = Photo(data).crop(box, 1)
    assert factor == 1
    assert pixels.shape == (28, 28, 3)
    assert np.abs(pixels.astype(int).mean(axis=(0, 1)) - wanted[-1, -1]).max() < 20
    augment = AugmentConfig(crop="resized")
    transform = SampleTransform(augment, [0, 0, 0], keep_size=False)
    with torch.random.fork_rng():
        for seed in range(5):
            crop = transform(Photo(data), 24, seed)
            assert crop.shape == (24, 24, 3)
            # each color of the image has a channel of at least 255: no pixel is black
            assert int(crop.amax(dim=2).min()) > 150
