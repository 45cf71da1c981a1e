"""Small files that keep a decoder busy or fill the memory, unless they are refused first."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image

SIDE = 64


def saved(form: str, size: tuple[int, int] = (SIDE, SIDE), mode: str = "RGB", **how: Any) -> bytes:
    """Return an ordinary file."""
    file = io.BytesIO()
    Image.effect_noise(size, 60).convert(mode).save(file, form, **how)
    return file.getvalue()


# --- JPEG


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def jpeg_with(*parts: bytes, plain: bytes | None = None) -> bytes:
    """Return a JPEG with more segments at its beginning, without JFIF's."""
    plain = plain or saved("JPEG")
    assert plain[2:4] == b"\xff\xe0"
    return plain[:2] + b"".join(parts) + plain[20:]


def jpeg_of_scans(num: int, size: tuple[int, int] = (256, 256)) -> bytes:
    """Return a progressive JPEG with so many more scans, each of 13 bytes, that hold nothing."""
    plain = saved("JPEG", size, "L", progressive=True, quality=10)
    codes = segment(0xC4, b"\x10" + bytes([1] + 15 * [0]) + b"\xe0")  # one code: a run of blocks
    scan = b"\xff\xda\0\x08\1\1\0\1\x3f\0" + b"\0\0\0"
    return plain[:-2] + codes + num * scan + plain[-2:]


def exif_bomb(num_tags: int = 5_000, num_bytes: int = 60_000) -> bytes:
    """Return EXIF whose tags all claim the same bytes."""
    tags = b"".join(struct.pack("<HHLL", 1000 + i, 7, num_bytes, 8) for i in range(num_tags))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", num_tags) + tags + bytes(4)


# --- PNG


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">L", len(content)) + kind + content + zlib.crc32(kind + content).to_bytes(4)


def png_with(*chunks: bytes) -> bytes:
    """Return a PNG with more chunks behind its header."""
    plain = saved("PNG")
    return plain[:33] + b"".join(chunks) + plain[33:]


def png_of(size: tuple[int, int], bits: int, color: int, rows: bytes, interlace: int = 0) -> bytes:
    header = struct.pack(">LLBBBBB", *size, bits, color, 0, 0, interlace)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


# --- GIF, BMP, PPM


def gif_with(*blocks: bytes) -> bytes:
    """Return a GIF with more blocks before its picture."""
    plain = saved("GIF", mode="L")
    start = 13 + 3 * 256
    assert plain[10] & 0x87 == 0x87
    return plain[:start] + b"".join(blocks) + plain[start:]


def bmp_of_runs(size: tuple[int, int], runs: bytes) -> bytes:
    info = struct.pack("<LllHHLLllLL", 40, *size, 1, 8, 1, len(runs), 0, 0, 0, 0)
    palette = b"".join(bytes([i, 255 - i, 7, 0]) for i in range(256))
    return b"BM" + struct.pack("<LHHL", 1078 + len(runs), 0, 0, 1078) + info + palette + runs


# --- TIFF

Tag = tuple[int, int, Sequence[int]]
_LETTERS = {1: "B", 3: "H", 4: "L", 7: "B"}


def tiff_of(tags: Sequence[Tag], data: bytes = b"") -> bytes:
    """Return a TIFF of tags (number, type, values); the data begins where `data_start` says."""
    start = data_start(len(tags)) + len(data)
    entries, more = b"", b""
    for number, kind, values in tags:
        content = struct.pack(f"<{len(values)}{_LETTERS[kind]}", *values)
        if len(content) > 4:
            more, content = more + content, struct.pack("<L", start + len(more))
        entries += struct.pack("<HHL", number, kind, len(values)) + content.ljust(4, b"\0")
    top = b"II*\0" + struct.pack("<LH", 8, len(tags))
    return top + entries + bytes(4) + data + more


def data_start(num_tags: int) -> int:
    return 8 + 2 + 12 * num_tags + 4


def grey(
    width: int, height: int, compression: int = 1, bits: int = 8, samples: int = 1
) -> list[Tag]:
    """Return the tags of an image, but where its pixels are."""
    photometric = 1 if samples == 1 else 2
    return [
        *((256, 4, [width]), (257, 4, [height]), (258, 3, samples * [bits])),
        *((259, 3, [compression]), (262, 3, [photometric]), (277, 3, [samples])),
    ]


def tiff_of_strips(num: int, rows: int = 1, num_bytes: int = SIDE) -> bytes:
    """Return a TIFF whose strips are all the same bytes."""
    offsets = num * [data_start(9)]
    more: list[Tag] = [(273, 4, offsets), (278, 4, [rows]), (279, 4, num * [num_bytes])]
    return tiff_of([*grey(SIDE, SIDE), *more], bytes(SIDE * SIDE))


def tiff_of_one(tags: Sequence[Tag], data: bytes, *more: Tag) -> bytes:
    """Return a TIFF of one strip."""
    start = data_start(len(tags) + 2 + len(more))
    strip: list[Tag] = [(273, 4, [start]), (279, 4, [len(data)])]
    return tiff_of(sorted([*tags, *strip, *more]), data)


def tiff_of_tiles(side: int, tile: int) -> bytes:
    """Return a TIFF of one tile."""
    data = zlib.compress(bytes(tile * tile), 9)
    more: list[Tag] = [(322, 4, [tile]), (323, 4, [tile]), (324, 4, [data_start(10)])]
    return tiff_of([*grey(side, side, 8), *more, (325, 4, [len(data)])], data)


# --- WebP


def webp_of_codes(width: int, height: int) -> bytes:
    """Return a lossless WebP with its own code for each 4 x 4 pixels, of 2.5 bytes each."""
    bits: list[int] = []

    def put(value: int, num: int) -> None:
        bits.extend(value >> i & 1 for i in range(num))

    def put_simple_code() -> None:
        put(0b0001, 4)  # one symbol, 0

    def put_full_code() -> None:
        put(0, 1)
        put(12 - 4, 4)
        for symbol in (17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8):
            put(int(symbol in (0, 8)), 3)
        put(1, 1)
        put(3, 3)
        put(256 - 2, 8)
        put(2**256 - 1, 256)  # 256 symbols of 8 bits

    num_blocks = -(-width // 4) * -(-height // 4)
    put(0x2F, 8)
    put(width - 1, 14)
    put(height - 1, 14)
    put(0, 4)
    put(0, 2)
    put(1, 1)
    put(0, 3)
    put(0, 1)
    put_full_code()
    put_full_code()
    for _ in range(3):
        put_simple_code()
    reverse = [int(f"{i:08b}"[::-1], 2) for i in range(256)]
    for block in range(num_blocks):
        number = min(block, 65_535)
        put(reverse[number & 255], 8)
        put(reverse[number >> 8], 8)
    for _ in range(5 * min(num_blocks, 65_536)):
        put_simple_code()
    data = np.packbits(np.array(bits, dtype=np.uint8), bitorder="little").tobytes() + bytes(16)
    data += bytes(len(data) % 2)
    riff = b"WEBPVP8L" + struct.pack("<L", len(data)) + data
    return b"RIFF" + struct.pack("<L", len(riff)) + riff


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "JPEG of 20,000 scans": (lambda: jpeg_of_scans(20_000), "more than 100 scans"),
    "JPEG of 101 scans": (lambda: jpeg_of_scans(101), "more than 100 scans"),
    "JPEG of comments": (lambda: jpeg_with(100_000 * segment(0xFE, b"")), "2,000 segments"),
    "JPEG with junk": (lambda: jpeg_with(segment(0xFE, b""), bytes(10**6)), "64 KiB of bytes"),
    "JPEG with filling": (lambda: jpeg_with(b"\xff" * 10**6), "64 KiB of bytes"),
    "JPEG of EXIF": (
        lambda: jpeg_with(100 * segment(0xE1, b"Exif\0\0" + bytes(65_000))),
        "4 MiB of EXIF",
    ),
    "JPEG, EXIF over and over": (
        lambda: jpeg_with(segment(0xE1, 10_000 * b"Exif\0\0")),
        "repeated more than twice",
    ),
    "JPEG, EXIF of one place": (
        lambda: jpeg_with(segment(0xE1, b"Exif\0\0" + exif_bomb())),
        "claim 300,000,000 bytes",
    ),
    "MPO, index of one place": (
        lambda: jpeg_with(segment(0xE2, b"MPF\0" + exif_bomb())),
        "claim 300,000,000 bytes",
    ),
    "JPEG without blocks": (
        lambda: saved("JPEG", (2000, 2000), quality=5)[:3000] + b"\xff\xd9",
        "too short for 2000 x 2000",
    ),
    "PNG of chunks": (lambda: png_with(20_000 * chunk(b"abCd", b"")), "chunks"),
    "PNG without rows": (lambda: png_of((8000, 6000), 8, 2, b"\0"), "too short for 8000 x 600"),
    "GIF of comments": (lambda: gif_with(b"!\xfe", 2_000 * (b"\xff" + bytes(255)), b"\0"), "comm"),
    "GIF of small comments": (lambda: gif_with(10_000 * b"!\xfe\1a\0"), "comments"),
    "GIF of small blocks": (lambda: gif_with(b"!\xfe", 10_000 * b"\1a", b"\0"), "comments"),
    "GIF of extensions": (lambda: gif_with(10_000 * b"!\1\1a\0"), "extensions"),
    "GIF with junk": (lambda: gif_with(b"\1" * 10**6), "comments"),
    "BMP in runs, large": (lambda: bmp_of_runs((5000, 5000), b"\0\1"), "BMP of 25,000,000"),
    "BMP in runs, long": (lambda: bmp_of_runs((64, 64), 10**6 * b"\0\0"), "more runs than"),
    "BMP in runs, jumping": (lambda: bmp_of_runs((10**6, 1), b"\0\2\0\xff"), "jumps out"),
    "BMP without rows": (lambda: saved("BMP", (999, 999))[:9_000], "too short for 999 x 999"),
    "PPM of comments": (lambda: b"P6\n#" + bytes(10**6) + b"\n1 1 255\n123", "more than 64 KiB"),
    "PPM of spaces": (lambda: b"P6\n" + 10**6 * b" " + b"\n1 1 255\n123", "more than 64 KiB"),
    "PPM of small comments": (
        lambda: b"P3 64 64 255\n" + 2_000 * b"#\n" + 3 * 64 * 64 * b"1 ",
        "1,000 comments",
    ),
    "PPM without rows": (lambda: b"P6 9000 9000 255\n" + bytes(999), "too short for 9000"),
    "TIFF of tags": (
        lambda: tiff_of([(32_000 + number, 3, [1]) for number in range(5_000)]),
        "4,096 tags",
    ),
    "TIFF, tags of one place": (
        lambda: exif_bomb(1_000, 10_000),
        "claim 10,000,000 bytes",
    ),
    "TIFF, a tag of values": (
        lambda: tiff_of_one(grey(SIDE, SIDE), bytes(4096), (274, 3, 300_000 * [1])),
        "tag 274 has 300,000 values",
    ),
    "TIFF of strips": (
        lambda: tiff_of_strips(10_000),
        "10,000 strips or tiles, but its pixels need 64",
    ),
    "TIFF, strips of one place": (
        lambda: tiff_of_strips(SIDE, num_bytes=10**6),
        "claim 64,000,000 bytes",
    ),
    "TIFF of rows of a pixel": (
        lambda: tiff_of([*grey(1, 50_000), (273, 4, [9]), (278, 4, [1]), (279, 4, [1])], bytes(9)),
        "50,000 strips or tiles",
    ),
    "TIFF of a large tile": (lambda: tiff_of_tiles(1, 4096), "4096 x 4096 are far larger"),
    "TIFF without rows": (lambda: tiff_of_one(grey(8000, 8000, 5), bytes(99)), "too short"),
}
