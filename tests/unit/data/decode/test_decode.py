from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resnext.data.decode.image import decode
from resnext.data.decode.image_limits import MAX_PIXELS
from resnext.errors import DataError

RNG = np.random.default_rng(0)


def gradient(width: int = 40, height: int = 30) -> Image.Image:
    """A smooth RGB picture, which JPEG keeps nearly as it is."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [x * 255 / (width - 1), y * 255 / (height - 1), np.full((height, width), 99.0)]
    return Image.fromarray(np.stack(planes, axis=2).astype(np.uint8))


def pixels(path: Path, in_channels: int = 3) -> np.ndarray:
    return np.asarray(decode(path, in_channels)).astype(int)


def png_header(width: int, height: int) -> bytes:
    """A valid beginning of a PNG of any size, with next to no data."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99))


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "ppm", "webp"])
def test_lossless_formats_give_the_pixels_that_were_saved(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"image.{suffix}"
    gradient().save(path, lossless=True)  # only WebP could do otherwise
    assert np.array_equal(pixels(path), np.asarray(gradient()))


def test_grey_images_become_three_equal_channels_and_grey_networks_get_one(tmp_path: Path) -> None:
    grey = gradient().convert("L")
    grey.save(tmp_path / "grey.png")
    assert np.array_equal(pixels(tmp_path / "grey.png"), np.stack([np.asarray(grey)] * 3, axis=2))
    assert np.array_equal(pixels(tmp_path / "grey.png", in_channels=1), np.asarray(grey))


def test_cmyk_is_converted_to_the_colors_it_shows(tmp_path: Path) -> None:
    gradient().convert("CMYK").save(tmp_path / "print.jpg", quality=95)
    assert np.abs(pixels(tmp_path / "print.jpg") - np.asarray(gradient())).mean() < 4


def test_a_palette_is_looked_up(tmp_path: Path) -> None:
    palette = gradient().quantize(256)
    palette.save(tmp_path / "palette.png")
    assert np.array_equal(pixels(tmp_path / "palette.png"), np.asarray(palette.convert("RGB")))


def test_transparent_parts_lie_on_white(tmp_path: Path) -> None:
    image = Image.new("RGBA", (4, 2), (10, 20, 30, 255))
    image.putpixel((0, 0), (10, 20, 30, 0))
    image.save(tmp_path / "alpha.png")
    got = pixels(tmp_path / "alpha.png")
    assert got[0, 0].tolist() == [255, 255, 255]
    assert got[1, 3].tolist() == [10, 20, 30]


def test_a_transparent_palette_entry_lies_on_white(tmp_path: Path) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    image.save(tmp_path / "palette.png", transparency=0)
    assert pixels(tmp_path / "palette.png")[0].tolist() == [[255, 255, 255], [40, 50, 60]]


def test_sixteen_bits_are_cut_to_their_upper_eight(tmp_path: Path) -> None:
    values = np.array([[0, 255, 256], [0x7FFF, 0x8000, 0xFFFF]], dtype=np.uint16)
    Image.fromarray(values).save(tmp_path / "deep.png")
    assert pixels(tmp_path / "deep.png", in_channels=1).tolist() == [[0, 0, 1], [127, 128, 255]]


@pytest.mark.parametrize(
    ("orientation", "turn"),
    [
        (1, lambda a: a),
        (2, np.fliplr),
        (3, lambda a: np.rot90(a, 2)),
        (4, np.flipud),
        (5, lambda a: np.fliplr(np.rot90(a, 3))),
        (6, lambda a: np.rot90(a, 3)),  # the camera lay on its left side: turn right
        (7, lambda a: np.fliplr(np.rot90(a))),
        (8, np.rot90),
    ],
)
def test_the_orientation_of_the_camera_is_honoured(
    tmp_path: Path, orientation: int, turn: object
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    gradient().save(tmp_path / "turned.png", exif=exif)
    assert callable(turn)
    assert np.array_equal(pixels(tmp_path / "turned.png"), turn(np.asarray(gradient())))


def test_broken_camera_notes_do_not_spoil_good_pixels(tmp_path: Path) -> None:
    gradient().save(
        tmp_path / "notes.jpg", quality=95, exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 40
    )
    assert pixels(tmp_path / "notes.jpg").shape == (30, 40, 3)


def test_one_pixel_is_an_image(tmp_path: Path) -> None:
    Image.new("RGB", (1, 1), (1, 2, 3)).save(tmp_path / "dot.png")
    assert pixels(tmp_path / "dot.png").tolist() == [[[1, 2, 3]]]


def test_twenty_megapixels_are_an_image(tmp_path: Path) -> None:
    Image.new("RGB", (5000, 4000), (9, 9, 9)).save(tmp_path / "large.jpg", quality=50)
    assert decode(tmp_path / "large.jpg").size == (5000, 4000)


def test_the_first_frame_of_an_animation_is_taken(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 4), color) for color in ((255, 0, 0), (0, 0, 255))]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    assert pixels(tmp_path / "moving.gif")[0, 0].tolist() == [255, 0, 0]


def test_a_phone_s_picture_in_several_parts_gives_the_first(tmp_path: Path) -> None:
    second = Image.new("RGB", (8, 8), (0, 0, 255))
    gradient().save(tmp_path / "two.jpg", "MPO", quality=95, save_all=True, append_images=[second])
    assert np.abs(pixels(tmp_path / "two.jpg") - np.asarray(gradient())).mean() < 4


@pytest.mark.parametrize("side", [11_500, 60_000])
def test_a_decompression_bomb_is_refused_by_its_header(tmp_path: Path, side: int) -> None:
    assert side**2 > MAX_PIXELS
    (tmp_path / "bomb.png").write_bytes(png_header(side, side))
    with pytest.raises(DataError, match="bomb"):
        decode(tmp_path / "bomb.png")


@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "tif", "webp", "bmp"])
@pytest.mark.parametrize("kept", [0.03, 0.3, 0.7])
def test_a_truncated_file_is_bad(tmp_path: Path, suffix: str, kept: float) -> None:
    path = tmp_path / f"torn.{suffix}"
    noise = RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(DataError):
        decode(path)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.jpg", b"", "empty"),
        ("text.jpg", b"this is not an image\n" * 50, "cannot identify"),
        ("page.png", b"<html><body>404 Not Found</body></html>", "cannot identify"),
        ("script.jpg", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n", "identify"),
        ("noise.jpg", b"\xff\xd8\xff\xe0" + bytes(range(256)) * 4, "."),
    ],
)
def test_what_is_no_image_is_bad_with_a_reason(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=reason) as caught:
        decode(tmp_path / name)
    assert "\n" not in str(caught.value)
    assert str(caught.value)


def test_a_missing_file_is_bad(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        decode(tmp_path / "none.jpg")


@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "tif", "webp"])
def test_flipped_bytes_give_an_image_or_a_data_error_and_nothing_else(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"image.{suffix}"
    gradient(16, 16).save(path)
    good = path.read_bytes()
    for _ in range(60):
        content = bytearray(good)
        for position in RNG.integers(0, len(content), 4):
            content[position] = RNG.integers(0, 256)
        path.write_bytes(bytes(content))
        try:
            image = decode(path)
        except DataError:
            continue
        assert image.mode == "RGB"
