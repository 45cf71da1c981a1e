"""Small whole image files of every accepted format, in the forms that a decoder treats apart."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

from PIL import Image

SIZE = (48, 40)


def _noise(mode: str = "RGB") -> Image.Image:
    bands = [Image.effect_noise(SIZE, 20 + 15 * band) for band in range(3)]
    image = Image.merge("RGB", bands)
    return image.quantize(32) if mode == "P" else image.convert(mode)


def _saved(form: str, mode: str = "RGB", **options: Any) -> bytes:
    file = io.BytesIO()
    _noise(mode).save(file, form, **options)
    return file.getvalue()


def _jpeg() -> list[bytes]:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "notes " * 2000
    return [
        *(_saved("JPEG"), _saved("JPEG", progressive=True), _saved("JPEG", "L"), _saved("JPEG")),
        *(_saved("JPEG", "CMYK"), _saved("JPEG", exif=exif), _saved("JPEG", subsampling="4:4:4")),
        *(_saved("JPEG", restart_marker_blocks=2), _saved("JPEG", "L", progressive=True)),
        _saved("MPO", save_all=True, append_images=[_noise()]),
    ]


def _png() -> list[bytes]:
    exif = Image.Exif()
    exif[0x0112] = 8
    frames = [_noise(), _noise("L").convert("RGB")]
    return [
        *(_saved("PNG"), _saved("PNG", "RGBA"), _saved("PNG", "LA"), _saved("PNG", "1")),
        *(_saved("PNG", "P", transparency=3), _saved("PNG", "I;16"), _saved("PNG", exif=exif)),
        _saved("PNG", save_all=True, append_images=frames),
        _png_of(struct.pack(">LLBBBBB", *SIZE, 8, 2, 0, 0, 1), bytes(3 * SIZE[0] * SIZE[1] + 200)),
        _png_of(struct.pack(">LLBBBBB", *SIZE, 16, 6, 0, 0, 0), bytes((8 * SIZE[0] + 1) * SIZE[1])),
    ]


def _png_of(header: bytes, rows: bytes) -> bytes:
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    chunks = (
        struct.pack(">L", len(data)) + kind + data + zlib.crc32(kind + data).to_bytes(4)
        for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _gif() -> list[bytes]:
    moving: dict[str, Any] = {
        "save_all": True,
        "append_images": [_noise("P"), _noise("L")],
        "loop": 0,
    }
    return [
        *(_saved("GIF", "P"), _saved("GIF", "L"), _saved("GIF", "P", transparency=2)),
        *(_saved("GIF", "P", comment=b"a comment"), _saved("GIF", "P", interlace=1)),
        *(_saved("GIF", "P", **moving), _saved("GIF", "P", disposal=2, **moving)),
    ]


def _bmp() -> list[bytes]:
    row = bytes([20, 5, 8, 3, 0, 4, 1, 2, 3, 4, 16, 9, 0, 0])
    jump = bytes([10, 5, 0, 2, 3, 1, 5, 6, 0, 0])
    runs = [_bmp_of(8, 1, row * 38 + jump + b"\0\1"), _bmp_of(4, 2, row * 38 + jump + b"\0\1")]
    return [_saved("BMP"), _saved("BMP", "L"), _saved("BMP", "1"), _saved("BMP", "P"), *runs]


def _bmp_of(bits: int, compression: int, rows: bytes) -> bytes:
    palette = b"".join(bytes([i, 255 - i, 7, 0]) for i in range(1 << bits))
    start = 54 + len(palette)
    info = struct.pack("<LllHHLLllLL", 40, *SIZE, 1, bits, compression, len(rows), 0, 0, 0, 0)
    top = b"BM" + struct.pack("<LHHL", start + len(rows), 0, 0, start)
    return top + info + palette + rows


def _ppm() -> list[bytes]:
    width, height = SIZE
    pixels = _noise().tobytes()
    plain = b" ".join(b"%d" % value for value in pixels)
    size = b"# made by hand\n%d %d\n" % SIZE
    return [
        *(_saved("PPM"), _saved("PPM", "L"), _saved("PPM", "1"), _saved("PPM", "I;16")),
        *(b"P3\n" + size + b"255\n" + plain, b"P2\n" + size + b"300\n" + plain[:8000]),
        *(b"P1\n" + size + b"10" * (width * height // 2), b"P6\n" + size + b"200\n" + pixels),
        *(b"P6\n" + size + b"900\n" + 2 * pixels, b"P5\n" + size + b"900\n" + pixels),
    ]


def _tiff() -> list[bytes]:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(34665)[0x9003] = "2020:01:01 00:00:00"
    kinds = ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "zstd", "lzma")
    return [
        *(_saved("TIFF", compression=kind) for kind in kinds),
        *(_saved("TIFF", mode) for mode in ("RGBA", "CMYK", "L", "I;16", "P", "1", "LAB")),
        *(_saved("TIFF", mode, compression="tiff_lzw") for mode in ("I;16", "I", "F", "LA")),
        *(_saved("TIFF", "1", compression="group4"), _saved("TIFF", exif=exif)),
        *(
            _samples(2, 16, 3, 1),
            _samples(1, 64, 1, 3),
            _samples(0, 12, 1, 1),
            _samples(2, 32, 3, 3),
        ),
        *(_saved("TIFF", big_tiff=True), _saved("TIFF", save_all=True, append_images=[_noise()])),
        *(
            _saved("TIFF", tiffinfo={278: 8}),
            _tiled(1, bytes(256)),
            _tiled(8, zlib.compress(bytes(256))),
        ),
    ]


def _samples(photometric: int, bits: int, samples: int, kind: int) -> bytes:
    """Return a TIFF of samples of any depth, without compression."""
    data = _noise().tobytes() * 8
    data = data[: SIZE[0] * SIZE[1] * samples * bits // 8]
    tags = (
        *((256, SIZE[0]), (257, SIZE[1]), (258, bits), (259, 1), (262, photometric), (273, 146)),
        *((277, samples), (278, SIZE[1]), (279, len(data)), (284, 1), (339, kind)),
    )
    entries = b"".join(struct.pack("<HHLL", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<LH", 8, len(tags)) + entries + bytes(4) + data


def _tiled(compression: int, tile: bytes) -> bytes:
    """Return a grey image in 9 tiles of 16 x 16, which all are the same bytes."""
    num = -(-SIZE[0] // 16) * -(-SIZE[1] // 16)
    start = 8 + 2 + 10 * 12 + 4
    tags = (
        *((256, SIZE[0]), (257, SIZE[1]), (258, 8), (259, compression), (262, 1), (277, 1)),
        *((322, 16), (323, 16), (324, start), (325, start + 4 * num)),
    )
    entries = b"".join(
        struct.pack("<HHLL", tag, 4, num if tag in (324, 325) else 1, value) for tag, value in tags
    )
    tables = struct.pack(f"<{num}L", *num * [start + 8 * num])
    tables += struct.pack(f"<{num}L", *num * [len(tile)])
    return b"II*\0" + struct.pack("<LH", 8, 10) + entries + bytes(4) + tables + tile


def _avif() -> list[bytes]:
    exif = Image.Exif()
    exif[0x0112] = 6
    return [_saved("AVIF"), _saved("AVIF", "RGBA"), _saved("AVIF", "L"), _saved("AVIF", exif=exif)]


def _webp() -> list[bytes]:
    exif = Image.Exif()
    exif[0x0112] = 3
    moving: dict[str, Any] = {
        "save_all": True,
        "append_images": [_noise(), _noise("L").convert("RGB")],
    }
    return [
        *(_saved("WEBP"), _saved("WEBP", lossless=True), _saved("WEBP", "RGBA", exif=exif)),
        *(_saved("WEBP", "RGBA", lossless=True), _saved("WEBP", **moving)),
    ]


BASES: dict[str, Callable[[], list[bytes]]] = {
    "AVIF": _avif,
    "BMP": _bmp,
    "GIF": _gif,
    "JPEG": _jpeg,
    "PNG": _png,
    "PPM": _ppm,
    "TIFF": _tiff,
    "WEBP": _webp,
}
