"""Image files of any depth and layout, written by hand where no library writes them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from hostile_images import chunk

HEIGHT, WIDTH = 13, 22  # of neither a whole number of bytes, at 12 and 1 bits, nor of blocks


def grey8() -> np.ndarray:
    """Return a gradient that holds black, white and all between."""
    values = np.linspace(0, 255, HEIGHT * WIDTH).round().astype(np.uint8)
    return np.random.default_rng(0).permutation(values).reshape(HEIGHT, WIDTH)


def rgb8() -> np.ndarray:
    """Return three different gradients, h x w x 3."""
    grey = grey8()
    return np.stack([grey, grey[::-1], grey[:, ::-1]], axis=2)


def png(values: np.ndarray, color: int, *chunks: bytes) -> bytes:
    """Return a PNG of 8 or 16 bits: h x w x samples, with chunks before its pixels."""
    height, width = values.shape[:2]
    bits = 8 * values.dtype.itemsize
    rows = values.astype(values.dtype.newbyteorder(">")).reshape(height, -1)
    return packed_png([row.tobytes() for row in rows], (width, height), bits, color, *chunks)


def packed_png(
    rows: Sequence[bytes], size: tuple[int, int], bits: int, color: int, *chunks: bytes
) -> bytes:
    """Return a PNG of packed rows."""
    header = struct.pack(">LLBBBBB", *size, bits, color, 0, 0, 0)
    content = zlib.compress(b"".join(b"\0" + row for row in rows))
    parts = [chunk(b"IHDR", header), *chunks, chunk(b"IDAT", content), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


_LETTERS = {1: "B", 2: "s", 3: "H", 4: "L", 11: "f", 12: "d"}
_FORMATS = {"u": 1, "i": 2, "f": 3}


def tiff(
    values: np.ndarray,
    photometric: int,
    *,
    order: str = "<",
    bits: int | None = None,
    planar: bool = False,
    rows_per_strip: int | None = None,
    extra: Sequence[int] = (),
    tags: Sequence[tuple[int, int, Sequence[Any]]] = (),
    content: bytes | None = None,
    predictor: int = 0,
) -> bytes:
    """Return a TIFF: values h x w x samples, or packed content; with a predictor, deflated."""
    height, width, samples = values.shape
    values = values.astype(values.dtype.newbyteorder("<" if order == "<" else ">"))
    planes = [values[:, :, i : i + 1] for i in range(samples)] if planar else [values]
    step = rows_per_strip or height
    parts = [p[top : top + step] for p in planes for top in range(0, height, step)]
    strips = [_deflated(part, predictor) if predictor else part.tobytes() for part in parts]
    if content is not None:
        strips = [content]
    depth = bits or 8 * values.dtype.itemsize
    starts = [8 + sum(map(len, strips[:i])) for i in range(len(strips))]
    entries = [
        *((256, 4, [width]), (257, 4, [height]), (258, 3, samples * [depth])),
        (259, 3, [8 if predictor else 1]),
        *([(317, 3, [predictor])] if predictor else []),
        *((262, 3, [photometric]), (273, 4, starts), (277, 3, [samples]), (278, 4, [step])),
        *((279, 4, [len(s) for s in strips]), (284, 3, [2 if planar else 1])),
        (339, 3, samples * [_FORMATS[values.dtype.kind]]),
        *([(338, 3, extra)] if extra else []),
        *tags,
    ]
    return _tiff_file(sorted(entries, key=lambda entry: entry[0]), b"".join(strips), order)


def _deflated(values: np.ndarray, predictor: int) -> bytes:
    """Compress rows of pixels, h x w x samples, of which neighbors are subtracted first."""
    height, _, samples = values.shape
    size = values.dtype.itemsize
    if predictor == 2:
        unsigned = values.view(f"{values.dtype.byteorder}u{size}")
        values = np.concatenate([unsigned[:, :1], np.diff(unsigned, axis=1)], axis=1)
        values = values.astype(unsigned.dtype)
    if predictor == 3:
        packed = values.astype(values.dtype.newbyteorder(">")).reshape(height, -1, 1)
        planes = packed.view(np.uint8).transpose(0, 2, 1).reshape(height, -1, samples)
        values = np.concatenate([planes[:, :1], np.diff(planes, axis=1)], axis=1)
    return zlib.compress(values.tobytes())


def _tiff_file(entries: list[Any], data: bytes, order: str) -> bytes:
    data += bytes(len(data) % 2)
    start = 8 + len(data)
    directory, more = struct.pack(order + "H", len(entries)), b""
    behind = start + 2 + 12 * len(entries) + 4
    for number, kind, values in entries:
        content = struct.pack(f"{order}{len(values)}{_LETTERS[kind]}", *values)
        if len(content) > 4:
            place, more = behind + len(more), more + content + bytes(len(content) % 2)
            content = struct.pack(order + "L", place)
        directory += struct.pack(order + "HHL", number, kind, len(values)) + content.ljust(4, b"\0")
    top = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "L", start)
    return top + data + directory + bytes(4) + more


def pgm(values: np.ndarray, most: int, *, plain: bool = False) -> bytes:
    """Return a PGM or PPM: h x w or h x w x 3."""
    height, width = values.shape[:2]
    is_rgb = values.ndim == 3
    magic = {(False, False): b"P5", (False, True): b"P6", (True, False): b"P2", (True, True): b"P3"}
    top = b"%b\n# written by hand\n%d %d\n%d\n" % (magic[plain, is_rgb], width, height, most)
    if plain:
        return top + b" ".join(b"%d" % value for value in values.flat) + b"\n"
    return top + values.astype("u1" if most < 256 else ">u2").tobytes()


def bits12(values: np.ndarray) -> bytes:
    """Pack values of 12 bits, each row from a new byte on."""
    rows = []
    for row in values:
        pairs = np.append(row, [0] * (len(row) % 2)).reshape(-1, 2).astype(np.uint32)
        joined = pairs[:, 0] << 12 | pairs[:, 1]
        packed = joined.astype(">u4").view(np.uint8).reshape(-1, 4)[:, 1:].tobytes()
        rows.append(packed[: -(-12 * len(row) // 8)])
    return b"".join(rows)
