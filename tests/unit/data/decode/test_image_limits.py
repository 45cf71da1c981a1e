"""Image files that would be far more work than their pixels are worth, and those that are not."""

from __future__ import annotations

import io
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile_images import (
    HOSTILE,
    chunk,
    exif_bomb,
    gif_with,
    grey,
    jpeg_of_scans,
    jpeg_with,
    png_of,
    png_with,
    saved,
    segment,
    tiff_of_one,
)
from PIL import Image, ImageOps

from resnext.data.decode import image as decode_module
from resnext.data.decode.image import Photo, decode_bytes, open_image, read_file
from resnext.data.decode.image_errors import ImageLimitError, NotAnImageError, TooManyPixelsError
from resnext.data.decode.image_limits import check_image
from resnext.data.decode.jpeg_limits import MAX_SCANS
from resnext.data.decode.netpbm import to_full_range
from resnext.data.shards.encode import Encoding, encode
from resnext.errors import DataError

WHITE = (5000, 4000)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_before_anything_decodes_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, reason = HOSTILE[name]
    data = make()

    def decoded(*_: object, **__: object) -> None:
        raise AssertionError("a decoder was asked")

    monkeypatch.setattr(Image, "open", decoded)
    for use in (decode_bytes, open_image, lambda data: encode(data, Encoding())):
        with pytest.raises(ImageLimitError, match=reason) as caught:
            use(data)
        assert "\n" not in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("form", "how"),
    [
        ("JPEG", {"optimize": True, "quality": 10}),
        ("JPEG", {"optimize": True, "quality": 10, "progressive": True}),
        ("PNG", {"optimize": True}),
        ("GIF", {}),
        ("BMP", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "tiff_adobe_deflate"}),
        ("TIFF", {"compression": "packbits"}),
        ("WEBP", {"lossless": True}),
    ],
)
@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_an_image_of_one_color_is_no_bomb(form: str, how: dict[str, Any], mode: str) -> None:
    if form == "JPEG" and mode == "1":
        pytest.skip("JPEG has no such mode")
    file = io.BytesIO()
    Image.new(mode, WHITE, "white").save(file, form, **how)
    check_image(file.getvalue())
    with open_image(file.getvalue()) as image:
        assert image.size == WHITE


def test_a_jpeg_may_have_as_many_scans_as_are_accepted() -> None:
    num_scans = jpeg_of_scans(0).count(b"\xff\xda")
    assert decode_bytes(jpeg_of_scans(MAX_SCANS - num_scans)).size == (256, 256)
    with pytest.raises(ImageLimitError):
        decode_bytes(jpeg_of_scans(MAX_SCANS - num_scans + 1))


def test_what_looks_like_scans_in_comments_and_behind_the_end_is_none() -> None:
    plain = saved("JPEG", progressive=True)
    comment = segment(0xFE, 1_000 * b"\xff\xda")
    at = plain.index(b"\xff\xda")
    assert decode_bytes(plain[:at] + comment + plain[at:]).size == (64, 64)
    assert decode_bytes(plain + 1_000 * b"\xff\xda\0\2").size == (64, 64)
    second = plain.index(b"\xff\xda", at + 2)
    assert decode_bytes(plain[:second] + comment + plain[second:]).size == (64, 64)


def test_scans_of_one_component_each_are_counted_in_a_sequential_jpeg_too() -> None:
    plain = saved("JPEG")
    at = plain.index(b"\xff\xda")
    scan = b"\xff\xda\0\x08\1\1\0\0\x3f\0" + 50 * b"\0"
    with pytest.raises(ImageLimitError, match="scans"):
        check_image(plain[:at] + 200 * scan + b"\xff\xd9")


def test_a_jpeg_in_a_tiff_has_no_more_scans_either() -> None:
    data = jpeg_of_scans(1_000)
    with pytest.raises(DataError):
        decode_bytes(tiff_of_one([*grey(256, 256, 7), (278, 4, [256])], data))
    data = jpeg_of_scans(10)
    assert decode_bytes(tiff_of_one([*grey(256, 256, 7), (278, 4, [256])], data)).size == (256, 256)


@pytest.mark.parametrize(
    "data",
    [
        png_with(chunk(b"eXIf", exif_bomb())),
        png_with(chunk(b"eXIf", 20_000 * b"Exif\0\0")),
        png_with(
            chunk(
                b"zTXt",
                b"Raw profile type exif\0\0"
                + zlib.compress(b"\n\n\n" + exif_bomb().hex().encode()),
            )
        ),
    ],
    ids=["tags of one place", "over and over", "in a text"],
)
def test_hostile_notes_of_the_camera_are_not_read_and_do_not_spoil_a_png(
    data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image.Exif, "load", lambda *_: pytest.fail("the notes were read"))
    assert decode_bytes(data).size == (64, 64)


def test_ordinary_metadata_is_accepted() -> None:
    exif = Image.Exif()
    exif[0x010E] = "a description " * 4_000
    exif[0x0112] = 6
    profile = os.urandom(300_000)
    for form in ("JPEG", "PNG", "WEBP", "TIFF"):
        data = saved(form, (64, 32), exif=exif, icc_profile=profile)
        assert decode_bytes(data).size == (32, 64)
    xmp = b"!\xff\x0bXMP DataXMP" + 500 * (b"\x64" + bytes(100)) + b"\0"
    repeat = b"!\xff\x0bNETSCAPE2.0\3\1\0\0\0"
    assert decode_bytes(gif_with(repeat, xmp, b"!\xfe\5hello\0")).size == (64, 64)


def test_turning_an_image_does_not_write_its_metadata_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 8
    monkeypatch.setattr(Image.Exif, "tobytes", lambda *_: pytest.fail("written"))
    notes = b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\x08\0\0\0\0\0\0\0"
    data = jpeg_with(segment(0xE1, notes), plain=saved("JPEG", (64, 32)))
    assert Photo(data).size == decode_bytes(data).size == (32, 64)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_tiff_has_the_size_that_it_is_decoded_to(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture, file = Image.effect_noise((64, 32), 60), io.BytesIO()
    picture.save(file, "TIFF", exif=exif)
    photo = Photo(file.getvalue(), in_channels=1)
    assert photo.size == photo.load().size == ((32, 64) if orientation >= 5 else (64, 32))
    picture.getexif()[0x0112] = orientation
    assert photo.load().tobytes() == ImageOps.exif_transpose(picture).tobytes()


@pytest.mark.parametrize(
    ("magic", "mode", "most"),
    [
        *((b"P6", "RGB", most) for most in (1, 100, 254, 256, 1023, 65_535)),
        *((b"P5", "L", most) for most in (1, 100, 254, 256, 1023, 65_534)),
        *((b"P0CMYK", "CMYK", most) for most in (100, 300)),
    ],
)
def test_a_largest_value_other_than_255_is_spread_as_pillow_spreads_it(
    magic: bytes, mode: str, most: int
) -> None:
    bands = Image.getmodebands(mode)
    kind = "u1" if most < 256 else ">u2"
    values = np.random.default_rng(0).integers(0, np.iinfo(kind).max + 1, (30, 20, bands))
    data = b"%b 20 30 # a comment\n %d\n" % (magic, most) + values.astype(kind).tobytes()
    new = Image.open(io.BytesIO(to_full_range(data)))
    old = Image.open(io.BytesIO(data))
    assert new.mode == old.mode
    assert np.array_equal(np.asarray(new), np.asarray(old))


def test_the_usual_ppm_is_left_as_it_is() -> None:
    for data in (saved("PPM"), saved("PPM", mode="L"), saved("PPM", mode="I;16")):
        assert to_full_range(data) is data


def test_each_reason_has_its_own_error() -> None:
    with pytest.raises(NotAnImageError, match="cannot identify"):
        open_image(b"%!PS-Adobe-3.0 EPSF-3.0\n")
    with pytest.raises(NotAnImageError):
        open_image(saved("PNG"), ["JPEG"])
    with pytest.raises(TooManyPixelsError, match="64 x 64 pixels are more than the"):
        open_image(saved("PNG"), max_pixels=4_000)
    assert open_image(saved("PNG"), max_pixels=4_096).size == (64, 64)


@pytest.mark.parametrize("form", ["BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP"])
def test_too_many_pixels_are_refused_before_they_are_decoded(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = saved(form, (200, 100))
    monkeypatch.setattr(Image.Image, "load", lambda _: pytest.fail("decoded"))
    with pytest.raises(TooManyPixelsError, match="200 x 100"):
        Photo(data, max_pixels=19_999)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_and_a_huge_file_among_images_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(DataError, match="not a regular file"):
        read_file(tmp_path / "pipe.jpg")
    monkeypatch.setattr(decode_module, "MAX_FILE_BYTES", 1_000)
    (tmp_path / "large.jpg").write_bytes(bytes(1_001))
    with pytest.raises(DataError, match="larger than the 1,000 bytes"):
        read_file(tmp_path / "large.jpg")
    (tmp_path / "small.jpg").write_bytes(bytes(1_000))
    assert read_file(tmp_path / "small.jpg") == bytes(1_000)


def test_interlaced_and_animated_images_are_accepted() -> None:
    assert decode_bytes(png_of((64, 64), 8, 2, bytes(3 * 64 * 64 + 300), 1)).size == (64, 64)
    frames: dict[str, Any] = {
        "save_all": True,
        "append_images": [Image.new("RGB", (64, 64), "red")],
    }
    for form in ("PNG", "GIF", "WEBP", "TIFF", "MPO"):
        assert decode_bytes(saved(form, **frames)).size == (64, 64)
