"""Images of any depth against the 8-bit image that they were made from."""

from __future__ import annotations

import io
import logging
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile_images import chunk, saved
from loaders import eval_loader, train_loader
from made_images import HEIGHT, WIDTH, bits12, grey8, packed_png, pgm, png, rgb8, tiff
from PIL import Image, ImageCms

from resnext.data.augment.config import AugmentConfig
from resnext.data.decode.depth import assumed_of
from resnext.data.decode.image import Photo, decode_bytes
from resnext.data.decode.image_errors import NotAnImageError
from resnext.data.prepare.geometry import pixels_of
from resnext.data.sets.folders import load_folder
from resnext.data.shards.encode import Encoding
from resnext.data.shards.pack import PackOptions, pack
from resnext.errors import DataError
from resnext.inference.preprocessor import Preprocessor
from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig

GREY, RGB = grey8(), rgb8()


def deep(values: np.ndarray, bits: int, kind: str = "u2") -> np.ndarray:
    """Return 8-bit values brought to more bits."""
    more: np.ndarray = values.astype(np.uint64) * (2**bits - 1) // 255
    found: np.ndarray = more.astype(np.dtype(kind))
    return found


def grey(data: bytes) -> np.ndarray:
    return np.asarray(decode_bytes(data, in_channels=1)).astype(int)


def rgb(data: bytes) -> np.ndarray:
    return np.asarray(decode_bytes(data)).astype(int)


def assert_like(found: np.ndarray, wanted: np.ndarray, most: int = 1) -> None:
    assert np.abs(found - wanted.astype(int)).max() <= most


def opacity(most: int, kind: str = "u2") -> np.ndarray:
    return np.full((HEIGHT, WIDTH, 1), most).astype(kind)


# --- PNG


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_a_png_of_16_bits_is_as_bright_as_the_bits_that_it_holds(bits: int) -> None:
    most = 2**bits - 1
    one, three = deep(GREY, bits)[:, :, None], deep(RGB, bits)
    assert_like(grey(png(one, 0)), GREY)
    assert_like(rgb(png(three, 2)), RGB)
    for alpha in (0, most, 65_535):
        assert_like(grey(png(np.dstack([one, opacity(alpha)]), 4)), GREY)
        assert_like(rgb(png(np.dstack([three, opacity(alpha)]), 6)), RGB)


@pytest.mark.parametrize("bits", [8, 10, 12, 13, 16])
@pytest.mark.parametrize("share", [1, 2, 8])
def test_declared_bits_of_a_png_decide_how_bright_a_dark_image_is(bits: int, share: int) -> None:
    declared = chunk(b"sBIT", bytes([bits]))
    below = png(deep(GREY, bits)[:, :, None] // share, 0, declared)
    assert_like(grey(below), GREY // share)
    assert not assumed_of(decode_bytes(below))
    declared = chunk(b"sBIT", bytes([bits] * 3))
    assert_like(rgb(png(deep(RGB, bits) // share, 2, declared)), RGB // share)
    above = deep(RGB, bits) << (16 - bits)  # where the standard wants them
    assert_like(rgb(png(above, 2, declared)), RGB)
    assert_like(grey(png(above[:, :, :1], 0, chunk(b"sBIT", bytes([bits])))), GREY)


@pytest.mark.parametrize("step", [256, 257])
def test_a_dark_image_of_8_bits_in_16_stays_dark(step: int) -> None:
    dark = GREY // 8
    data = png(dark.astype("u2")[:, :, None] * step, 0)
    assert np.array_equal(grey(data), dark)
    assert not assumed_of(decode_bytes(data))


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_a_png_of_few_bits_is_spread_with_its_palette_and_transparent_color(bits: int) -> None:
    most = 2**bits - 1
    values = (GREY >> (8 - bits)).astype(np.uint8)
    unpacked = np.unpackbits(values[:, :, None], axis=2)[:, :, -bits:].reshape(HEIGHT, -1)
    rows = [np.packbits(row).tobytes() for row in unpacked]
    wanted = values * (255 // most)

    def made(color: int, *chunks: bytes) -> bytes:
        return packed_png(rows, (WIDTH, HEIGHT), bits, color, *chunks)

    assert np.array_equal(grey(made(0)), wanted)
    key = most // 2
    transparent = grey(made(0, chunk(b"tRNS", struct.pack(">H", key))))
    assert np.array_equal(transparent, np.where(values == key, 255, wanted))
    colors = np.random.default_rng(1).integers(0, 256, (most + 1, 3), dtype=np.uint8)
    palette = chunk(b"PLTE", colors.tobytes())
    assert np.array_equal(rgb(made(3, palette)), colors[values])
    assert np.array_equal(rgb(made(3, palette, chunk(b"tRNS", bytes(most + 1)))), colors[values])


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_the_transparent_color_of_a_png_has_the_depth_of_its_samples(bits: int) -> None:
    kind = "u1" if bits == 8 else "u2"
    one, three = deep(GREY, bits, kind), deep(RGB, bits, kind)
    key = chunk(b"tRNS", struct.pack(">H", one[0, 0]))
    wanted = np.where(one == one[0, 0], 255, GREY)
    assert_like(grey(png(one[:, :, None], 0, key)), wanted)
    key = chunk(b"tRNS", struct.pack(">3H", *three[0, 0]))
    is_key = (three == three[0, 0]).all(axis=2, keepdims=True)
    assert_like(rgb(png(three, 2, key)), np.where(is_key, 255, RGB))


# --- TIFF

_INTEGERS = [
    *(("u1", 8), ("u2", 8), ("u2", 12), ("u2", 16), ("u4", 8), ("u4", 12), ("u4", 16), ("u4", 32)),
    *(("i1", 7), ("i2", 8), ("i2", 12), ("i2", 15), ("i4", 8), ("i4", 16), ("i4", 31), ("u8", 12)),
]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("photometric", [0, 1])
@pytest.mark.parametrize(("kind", "bits"), _INTEGERS)
def test_a_grey_tiff_of_integers_is_as_bright_as_the_bits_that_it_holds(
    order: str, photometric: int, kind: str, bits: int
) -> None:
    values = deep(GREY if photometric else 255 - GREY, bits, kind)[:, :, None]
    for rows in (HEIGHT, 5):
        data = tiff(values, photometric, order=order, rows_per_strip=rows)
        assert_like(grey(data), GREY, most=2 if bits == 7 else 1)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("photometric", [0, 1])
@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
@pytest.mark.parametrize("most", [1, 255, 4095])
def test_a_grey_tiff_of_floats_is_read(order: str, photometric: int, kind: str, most: int) -> None:
    values = (GREY if photometric else 255 - GREY) / 255 * most
    data = tiff(values.astype(kind)[:, :, None], photometric, order=order)
    assert_like(grey(data), GREY)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("photometric", [0, 1])
def test_a_tiff_of_12_or_1_packed_bits_is_read(order: str, photometric: int) -> None:
    shown = GREY if photometric else 255 - GREY
    content = bits12(deep(shown, 12))
    data = tiff(GREY[:, :, None], photometric, order=order, bits=12, content=content)
    assert_like(grey(data), GREY)
    assert not assumed_of(decode_bytes(data))
    content = np.packbits(shown > 127, axis=1).tobytes()
    data = tiff(GREY[:, :, None], photometric, order=order, bits=1, content=content)
    assert np.array_equal(grey(data), (GREY > 127) * 255)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize(
    ("kind", "most"),
    [("u1", 255), ("u2", 4095), ("u2", 65_535), ("u4", 255), ("i2", 4095), ("f4", 1), ("f8", 255)],
)
def test_a_color_tiff_of_any_depth_is_read(order: str, planar: bool, kind: str, most: int) -> None:
    values = (RGB / 255 * most).round(3 if most == 1 else 0).astype(kind)
    for rows in (HEIGHT, 4):
        data = tiff(values, 2, order=order, planar=planar, rows_per_strip=rows)
        assert_like(rgb(data), RGB)
    for extra in (0, 1, 2):
        for alpha in (0, most):
            data = tiff(np.dstack([values, opacity(alpha, kind)]), 2, order=order, extra=[extra])
            assert_like(rgb(data), RGB)
            grey_values = np.dstack([values[:, :, :1], opacity(alpha, kind)])
            assert_like(grey(tiff(grey_values, 1, order=order, extra=[extra])), GREY)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("rows", [HEIGHT, 5])
@pytest.mark.parametrize(
    ("kind", "most", "predictor"),
    [
        *(("u2", 4095, p) for p in (1, 2)),
        *(("u2", 65_535, p) for p in (1, 2)),
        *(("u4", 255, p) for p in (1, 2)),
        *(("f4", 1, p) for p in (1, 2, 3)),
        *(("f8", 255, p) for p in (1, 3)),
    ],
)
def test_compressed_samples_of_any_depth_are_read(
    order: str, rows: int, kind: str, most: int, predictor: int
) -> None:
    values = (RGB / 255 * most).round(3 if most == 1 else 0).astype(kind)
    how: dict[str, Any] = {"order": order, "rows_per_strip": rows, "predictor": predictor}
    assert_like(rgb(tiff(values, 2, **how)), RGB)
    assert_like(grey(tiff(values[:, :, :1], 1, **how)), GREY)
    assert_like(grey(tiff(np.asarray(most - values[:, :, :1], kind), 0, **how)), GREY)
    for alpha in (0, most):
        data = tiff(np.dstack([values, opacity(alpha, kind)]), 2, extra=[2], **how)
        assert_like(rgb(data), RGB)
    if rows == HEIGHT:
        assert_like(rgb(tiff(values, 2, planar=True, **how)), RGB)


def test_premultiplied_colors_lie_on_white_as_others_do() -> None:
    half = np.dstack([RGB // 2, np.full_like(GREY, 128)])
    assert_like(rgb(tiff(half, 2, extra=[1])), RGB // 2 + 127)
    deep_half = (half.astype("u2") * 257).astype("u2")
    assert_like(rgb(tiff(deep_half, 2, extra=[1])), RGB // 2 + 127)


@pytest.mark.parametrize("order", ["<", ">"])
def test_cmyk_and_palettes_of_a_tiff_are_read_at_any_depth(order: str) -> None:
    cmyk = np.dstack([RGB, np.zeros_like(GREY)])
    assert_like(rgb(tiff(cmyk, 5, order=order)), 255 - RGB)
    assert_like(rgb(tiff(deep(cmyk, 16), 5, order=order)), 255 - RGB)
    levels = np.arange(256)
    palette = np.stack([levels, 255 - levels, levels // 2])
    for scale in (1, 257):  # many programs write 8 bits of the 16
        tags = [(320, 3, (palette * scale).ravel().tolist())]
        data = tiff(GREY[:, :, None], 3, order=order, tags=tags)
        assert np.array_equal(rgb(data), palette.T[GREY])


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_compressed_tiffs_of_any_mode_are_read(compression: str) -> None:
    def made(pixels: np.ndarray | Image.Image) -> bytes:
        image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
        file = io.BytesIO()
        image.save(file, "TIFF", compression=compression)
        return file.getvalue()

    assert_like(grey(made(deep(GREY, 12))), GREY)
    assert_like(grey(made(GREY.astype(np.int32))), GREY)
    assert_like(grey(made((GREY / 255).astype(np.float32))), GREY)
    assert_like(grey(made(np.dstack([GREY, 0 * GREY]))), GREY)
    assert_like(rgb(made(np.dstack([RGB, 0 * GREY]))), RGB)
    assert_like(rgb(made(Image.fromarray(RGB).convert("CMYK"))), RGB)
    bilevel = Image.fromarray(GREY).convert("1")
    assert np.array_equal(grey(made(bilevel)), np.asarray(bilevel) * 255)
    smooth = Image.fromarray(RGB).resize((32, 32), Image.Resampling.BOX)
    to_lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    lab = rgb(made(to_lab.apply(smooth)))
    assert np.abs(lab - np.asarray(smooth)).mean() < 3
    ycbcr = rgb(made(Image.fromarray(RGB).convert("YCbCr")))
    assert_like(ycbcr, RGB, most=3)


def test_the_range_that_a_tiff_declares_decides() -> None:
    values = deep(GREY, 12)[:, :, None] // 4
    dark = tiff(values, 1, tags=[(281, 3, [4095])])
    assert_like(grey(dark), GREY // 4)
    assert not assumed_of(decode_bytes(dark))
    assert_like(grey(tiff(values, 1)), GREY)  # by its values it has 10 bits
    wrong = tiff(deep(GREY, 12)[:, :, None], 1, tags=[(281, 3, [255])])
    assert_like(grey(wrong), GREY)  # a value beyond it disproves it
    floats = tiff((GREY * 4.0)[:, :, None] - 20, 1, tags=[(340, 12, [-20]), (341, 12, [1000])])
    assert_like(grey(floats), GREY)


@pytest.mark.parametrize(("value", "shown"), [(np.nan, 0), (np.inf, 255), (-np.inf, 0)])
def test_floats_that_are_no_finite_numbers_are_black_or_white(value: float, shown: int) -> None:
    values = (GREY / 255).astype(np.float32)
    values[0, 0] = value
    wanted = GREY.copy()
    wanted[0, 0] = shown
    assert_like(grey(tiff(values[:, :, None], 1)), wanted)
    with pytest.raises(DataError, match="no pixel of the image is a finite number"):
        decode_bytes(tiff(np.full((3, 3, 1), value), 1))


def test_negative_values_lie_below_the_middle_grey() -> None:
    values = np.array([[-1024, 0, 1023]], np.int16)[:, :, None]
    assert_like(grey(tiff(values, 1)), np.array([[64, 128, 191]]))
    assert_like(grey(tiff(np.array([[-1.0, 0, 1]])[:, :, None], 1)), np.array([[0, 128, 255]]))


def test_an_unknown_kind_of_tiff_is_refused_with_what_it_is() -> None:
    with pytest.raises(NotAnImageError, match=r"2 sample\(s\) a pixel of 8 bits, unsigned, photom"):
        decode_bytes(tiff(RGB[:, :, :2], 2))


# --- the others


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("most", [1, 100, 255, 256, 1000, 1023, 4095, 65_534, 65_535])
def test_the_largest_value_of_a_pgm_or_ppm_is_white(plain: bool, most: int) -> None:
    for pixels, read in ((GREY, grey), (RGB, rgb)):
        values = (pixels / 255 * most).round().astype(int)
        assert_like(read(pgm(values, most, plain=plain)), (values / most * 255).round())
        if most > 255:
            dark = values // 4
            if most < 65_535:
                assert_like(read(pgm(dark, most, plain=plain)), (dark / most * 255).round())
    assert_like(grey(pgm(deep(GREY, 12), 65_535, plain=plain)), GREY)
    assert_like(rgb(pgm(deep(RGB, 12), 65_535, plain=plain)), RGB)


def test_damaged_digits_of_a_ppm_are_refused() -> None:
    good = pgm(deep(GREY, 12).astype(int), 4095, plain=True)
    with pytest.raises(DataError, match="truncated: the PPM ends before its pixels"):
        decode_bytes(good[:-20])
    for bad in (good.replace(b" 4095", b" 5000"), good.replace(b" 4095", b" x")):
        with pytest.raises(DataError):
            decode_bytes(bad)


def bmp32(alpha: int, *, is_masked: bool) -> bytes:
    """Return a BMP of 32 bits, whose fourth byte means opacity only with masks."""
    pixels = np.dstack([RGB[:, :, ::-1], np.full_like(GREY, alpha)])[::-1].tobytes()
    size, compression = (108, 3) if is_masked else (40, 0)
    info = struct.pack(
        "<LllHHLLllLL", size, WIDTH, HEIGHT, 1, 32, compression, len(pixels), *4 * [0]
    )
    if is_masked:
        info += struct.pack("<LLLL", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + bytes(52)
    start = 14 + len(info)
    return b"BM" + struct.pack("<LHHL", start + len(pixels), 0, 0, start) + info + pixels


def invisible(form: str, **how: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.dstack([RGB, 0 * GREY])).save(file, form, **how)
    return file.getvalue()


def test_an_image_that_is_transparent_everywhere_keeps_its_colors() -> None:
    for data in (
        *(bmp32(alpha, is_masked=masked) for alpha in (0, 255) for masked in (False, True)),
        invisible("PNG"),
        invisible("TIFF"),
        invisible("WEBP", lossless=True, exact=True),
    ):
        assert np.array_equal(rgb(data), RGB)
    assert np.abs(rgb(invisible("AVIF", quality=100, subsampling="4:4:4")) - RGB).mean() < 3
    palette = Image.new("P", (4, 4), 3)
    palette.putpalette(bytes(range(30)))
    file = io.BytesIO()
    palette.save(file, "GIF", transparency=3)
    assert (rgb(file.getvalue()) == (9, 10, 11)).all()


# --- what is assumed is reported once


def folder_of_deep_images(root: Path) -> Path:
    for label in ("cat", "dog"):
        (root / label).mkdir(parents=True)
        for number in range(10):
            (root / label / f"{number}.png").write_bytes(png(deep(GREY, 12)[:, :, None], 0))
    return root


@pytest.mark.parametrize("workers", [0, 2])
def test_an_assumed_range_is_reported_once_for_a_set(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, workers: int
) -> None:
    data = load_folder(folder_of_deep_images(tmp_path), 0.5)
    for batch in eval_loader(data.val, data.info, batch_size=2, workers=workers):
        assert len(batch.images_bchw)
    assert caplog.text.count("assumed values of 12 bits") == 1
    augment = AugmentConfig(crop="resized")
    info = replace(data.info, image_size_px=8)
    loader = train_loader(data.train, info, augment, batch_size=2, workers=workers)
    for epoch in range(2):
        assert list(loader.epoch(epoch))
    assert caplog.text.count("assumed values of 12 bits") == 2
    assert "sBIT" in caplog.text


def test_packing_and_prediction_report_an_assumed_range_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = load_folder(folder_of_deep_images(tmp_path / "data"), 0.5)
    pack(data, tmp_path / "packed", PackOptions(1.0, Encoding(), workers=1))
    assert caplog.text.count("assumed values of 12 bits") == 1
    path = tmp_path / "data/cat/0.png"
    preprocessor = Preprocessor.of(ResNeXtConfig(in_channels=1), ModelCard())
    for _ in range(2):
        assert_like(pixels_of(preprocessor.read(path))[:, :, 0], GREY)
    assert caplog.text.count("assumed values of 12 bits") == 2


def test_all_ways_of_decoding_agree(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    for data in (png(deep(RGB, 12), 2), tiff(deep(RGB, 10), 2), saved("JPEG", (WIDTH, HEIGHT))):
        whole = np.asarray(decode_bytes(data))
        from resnext.data.decode.jpeg import Box

        part, factor = Photo(data).crop(Box(3, 2, 9, 8), 1)
        left, top = 3, 2
        assert factor == 1
        assert np.array_equal(part, whole[top : top + 8, left : left + 9])
