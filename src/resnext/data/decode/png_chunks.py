"""Splits the chunks of a PNG into pixel data and metadata.

Pillow reads every chunk, and refuses a file because of a damaged color profile or a long text that
does not affect pixels. It only gets the pixel chunks; metadata is read here, within limits.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from resnext.data.decode.jpeg_limits import MAX_EXIF_BYTES

_MAGIC_BYTES = 8
_MAX_TEXT_BYTES = 2**20
_CRITICAL = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
_NOTES = frozenset({b"eXIf", b"sBIT", b"tEXt", b"zTXt", b"iTXt"})
_TEXTS = {b"Raw profile type exif": "exif", b"XML:com.adobe.xmp": "xmp"}
_MAX_KEY_BYTES = 80
_MAX_PALETTE = 256
_GREY, _RGB, _PALETTE = 0, 2, 3


class PngParts(NamedTuple):
    """The parts of a PNG.

    Attributes:
        pixels: A PNG with only the chunks that affect pixels.
        exif: EXIF metadata, beginning as a TIFF; empty if there is none.
        xmp: XMP metadata; empty if there is none.
        sample_bits: Significant bits (sBIT); 0 if not declared.
        transparent: The one transparent color of a grey or RGB image (tRNS), in its own depth.
    """

    pixels: bytes
    exif: bytes
    xmp: bytes
    sample_bits: int
    transparent: tuple[int, ...] | None


class _Chunk(NamedTuple):
    kind: bytes
    start: int  # of its length
    end: int


def split_png(data: bytes) -> PngParts:
    """Split a PNG. Only one EXIF or XMP text is decompressed, up to 1 MiB.

    Unneeded chunks are left out, and so are optional chunks with a wrong checksum. Other damage is
    left for the decoder to refuse.
    """
    header = data[_MAGIC_BYTES + 8 : _MAGIC_BYTES + 21]
    notes: dict[str, bytes] = {}
    kept: list[bytes | memoryview] = [data[:_MAGIC_BYTES]]
    transparency = b""
    view = memoryview(data)
    for chunk in _chunks(data):
        if chunk.kind in _CRITICAL:
            kept.append(view[chunk.start : chunk.end])
        elif chunk.kind == b"tRNS" and _is_sound(view, chunk):
            content = bytes(view[chunk.start + 8 : chunk.end - 4])
            if header[9] == _PALETTE and 0 < len(content) <= _MAX_PALETTE:
                kept.append(view[chunk.start : chunk.end])
            transparency = content
        elif chunk.kind in _NOTES:
            _read_note(view, chunk, notes)
    num_bytes = sum(map(len, kept))
    pixels = data if num_bytes == len(data) else b"".join(kept)
    return PngParts(
        pixels,
        notes.get("exif", b""),
        notes.get("xmp", b""),
        max(notes.get("sBIT", b"\0")[: {_GREY: 1, _RGB: 3}.get(header[9], 4)], default=0),
        _transparent_color(header, transparency),
    )


def _chunks(data: bytes) -> Iterator[_Chunk]:
    start = _MAGIC_BYTES
    while start + 8 <= len(data):
        kind = data[start + 4 : start + 8]
        end = start + 12 + int.from_bytes(data[start : start + 4])
        if not kind.isalpha():
            kind, end = b"IDAT", len(data)  # the structure is lost: let the decoder judge
        yield _Chunk(kind, start, min(end, len(data)))
        if kind == b"IEND":
            return
        start = end


def _is_sound(view: memoryview, chunk: _Chunk) -> bool:
    size = int.from_bytes(view[chunk.start : chunk.start + 4])
    if chunk.end - chunk.start != size + 12:
        return False
    crc = int.from_bytes(view[chunk.end - 4 : chunk.end])
    return zlib.crc32(view[chunk.start + 4 : chunk.end - 4]) == crc


def _transparent_color(header: bytes, content: bytes) -> tuple[int, ...] | None:
    bits, color = header[8], header[9]
    num_colors = {_GREY: 1, _RGB: 3}.get(color, 0)
    if not num_colors or len(content) < 2 * num_colors:
        return None
    most = 2 ** min(bits, 16) - 1  # bits above the depth are to be ignored
    return tuple(int.from_bytes(content[2 * i : 2 * i + 2]) & most for i in range(num_colors))


def _read_note(view: memoryview, chunk: _Chunk, notes: dict[str, bytes]) -> None:
    """Read the needed metadata of a chunk; ignore a damaged chunk."""
    content = view[chunk.start + 8 : chunk.end - 4]
    kind = chunk.kind
    if kind in (b"eXIf", b"sBIT"):
        name, most = ("exif", MAX_EXIF_BYTES) if kind == b"eXIf" else ("sBIT", 4)
        if len(content) <= most and _is_sound(view, chunk):
            notes[name] = bytes(content)  # eXIf outweighs a text
        return
    key, _, _ = bytes(content[:_MAX_KEY_BYTES]).partition(b"\0")
    name = _TEXTS.get(key, "")
    if name in notes or not name or len(content) > MAX_EXIF_BYTES or not _is_sound(view, chunk):
        return
    with contextlib.suppress(ValueError, IndexError, zlib.error):
        text = _text(kind, bytes(content[len(key) + 1 :]))
        notes[name] = (
            bytes.fromhex("".join(text.decode("ascii").split("\n")[3:]))
            if (name == "exif")
            else text
        )


def _text(kind: bytes, content: bytes) -> bytes:
    """Return the text of a chunk after its key, decompressed up to 1 MiB."""
    if kind == b"tEXt":
        return content
    if kind == b"iTXt":
        is_compressed, content = content[0], content[2:].split(b"\0", 2)[2]
    else:
        is_compressed, content = 1, content[1:]
    if not is_compressed:
        return content
    return zlib.decompressobj().decompress(content, _MAX_TEXT_BYTES)
