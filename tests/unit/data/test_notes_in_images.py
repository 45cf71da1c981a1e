"""Metadata that is damaged, huge or hostile, beside pixels that are good."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
from hostile_images import chunk, exif_bomb, gif_with, jpeg_with, saved, segment
from made_images import png, rgb8, tiff
from PIL import Image

from resnext.data.decode.image import Photo, decode_bytes
from resnext.data.decode.png_chunks import split_png
from resnext.data.shards.encode import Encoding, encode
from resnext.errors import DataError

_RGB = rgb8()
_ZEROS = zlib.compress(bytes(5_000_000), 9)


def _bad_crc(kind: bytes, content: bytes) -> bytes:
    return chunk(kind, content)[:-4] + b"\1\2\3\4"


NOTES: dict[str, bytes] = {
    "color profile, garbage": chunk(b"iCCP", b"a\0\0garbage"),
    "color profile, empty": chunk(b"iCCP", b""),
    "color profile without an end of its name": chunk(b"iCCP", b"name"),
    "color profile, other method": chunk(b"iCCP", b"a\0\7" + zlib.compress(b"x")),
    "color profile, huge": chunk(b"iCCP", b"a\0\0" + _ZEROS),
    "color profiles, many": 50 * chunk(b"iCCP", b"a\0\0" + _ZEROS),
    "text, huge": chunk(b"tEXt", b"Comment\0" + bytes(5_000_000)),
    "text that names a setting": chunk(b"tEXt", b"transparency\0" + b"0"),
    "text that names another": chunk(b"tEXt", b"interlace\0" + b"1"),
    "compressed text, garbage": chunk(b"zTXt", b"Comment\0\0garbage"),
    "compressed text, other method": chunk(b"zTXt", b"Comment\0\7garbage"),
    "compressed text, huge": chunk(b"zTXt", b"Comment\0\0" + _ZEROS),
    "compressed texts, many": 500 * chunk(b"zTXt", b"Comment\0\0" + _ZEROS),
    "international text, huge": chunk(b"iTXt", b"Comment\0\1\0\0\0" + _ZEROS),
    "XMP, huge": chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + _ZEROS),
    "XMP, torn": chunk(b"iTXt", b"XML:com.adobe.xmp\0"),
    "EXIF text, no digits": chunk(b"tEXt", b"Raw profile type exif\0\n\n\nxyz"),
    "EXIF, garbage": chunk(b"eXIf", b"garbage"),
    "EXIF, empty": chunk(b"eXIf", b""),
    "EXIF, hostile": chunk(b"eXIf", exif_bomb()),
    "EXIF, huge": chunk(b"eXIf", bytes(10_000_000)),
    "unknown": chunk(b"abCd", bytes(99)),
    "unknown, many": 5_000 * chunk(b"abCd", b""),
    "sizes, torn": chunk(b"pHYs", b"\0"),
    "rendering, empty": chunk(b"sRGB", b""),
    "gamma, empty": chunk(b"gAMA", b""),
    "colors, torn": chunk(b"cHRM", b"\0\0\0"),
    "bits, empty": chunk(b"sBIT", b""),
    "animation, torn": chunk(b"acTL", b""),
    "animation of nothing": chunk(b"acTL", struct.pack(">LL", 5, 0)),
    "frame, torn": chunk(b"fcTL", b"\0"),
    "transparent color, torn": chunk(b"tRNS", b"\0"),
    "transparent color, bad checksum": _bad_crc(b"tRNS", b"\0\0\0\0\0\0"),
    **{
        f"bad checksum of {kind.decode()}": _bad_crc(kind, b"Comment\0\0\0text")
        for kind in (b"iCCP", b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME", b"gAMA", b"abCd")
    },
}


@pytest.mark.parametrize("name", NOTES)
def test_a_png_with_bad_or_huge_notes_has_the_pixels_that_it_has_without(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 2**20
    decompress = zlib.decompressobj

    class Bounded:
        def decompress(self, data: bytes, limit: int = 0) -> bytes:
            assert 0 < limit <= most, "unbounded"
            return decompress().decompress(data, limit)

    monkeypatch.setattr(zlib, "decompressobj", lambda *_: Bounded())
    before = png(_RGB, 2, NOTES[name])
    plain = png(_RGB, 2)
    behind = plain[:-12] + NOTES[name] + plain[-12:]
    for data in (before, behind):
        assert np.array_equal(np.asarray(decode_bytes(data)), _RGB)
        assert Photo(data).size == (_RGB.shape[1], _RGB.shape[0])
        assert encode(data, Encoding())[1] == data


def test_a_png_without_notes_is_not_copied() -> None:
    data = png(_RGB, 2)
    assert split_png(data).pixels is data


def test_a_png_that_ends_in_a_note_behind_its_pixels_is_whole() -> None:
    data = png(_RGB, 2)[:-12]
    for end in (b"", b"\0", struct.pack(">L", 1000) + b"tEXtCom", chunk(b"tEXt", b"C\0x")[:-2]):
        assert np.array_equal(np.asarray(decode_bytes(data + end)), _RGB)


def test_a_png_whose_pixels_are_damaged_is_refused_and_not_half_decoded() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    rows = b"".join(b"\0" + row.tobytes() for row in noise)
    content = bytearray(zlib.compress(rows))
    content[6_000:6_020] = 20 * b"\xff"
    header = chunk(b"IHDR", struct.pack(">LLBBBBB", 64, 64, 8, 2, 0, 0, 0))
    end = chunk(b"IDAT", bytes(content)) + chunk(b"IEND", b"")
    for notes in (b"", chunk(b"tEXt", b"Comment\0x")):
        with pytest.raises(DataError):
            decode_bytes(b"\x89PNG\r\n\x1a\n" + header + notes + end)


JPEG_NOTES: dict[str, bytes] = {
    "EXIF, garbage": segment(0xE1, b"Exif\0\0garbage"),
    "EXIF, empty": segment(0xE1, b"Exif\0\0"),
    "EXIF, torn": segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + bytes(20)),
    "XMP, garbage": segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0\xff\xfe<"),
    "color profile, one of three": segment(0xE2, b"ICC_PROFILE\0\1\3garbage"),
    "color profile, number 0": segment(0xE2, b"ICC_PROFILE\0\0\0garbage"),
    "color profile, no numbers": segment(0xE2, b"ICC_PROFILE\0"),
    "several pictures, garbage": segment(0xE2, b"MPF\0garbage"),
    "several pictures, no tags": segment(0xE2, b"MPF\0II*\0\x08\0\0\0\0\0"),
    "several pictures, wrong tags": segment(
        0xE2, b"MPF\0II*\0\x08\0\0\0\2\0" + struct.pack("<HHLL", 0xB001, 2, 1, 7) * 2
    ),
    "Photoshop, garbage": segment(0xED, b"Photoshop 3.0\0" + b"8BIM" + b"\xff" * 9),
    "Photoshop, torn": segment(0xED, b"Photoshop 3.0\x008BIM\x03\xed\0\0\0\0\0\x10\0"),
    "Adobe, torn": segment(0xEE, b"Adobe"),
    "JFIF, torn": segment(0xE0, b"JFIF\0"),
    "JFIF, again": 3 * segment(0xE0, b"JFIF\0\1\2\1\0\1\0\1\0\0"),
    "comment, no text": segment(0xFE, bytes(range(256))),
    "comments, many": 1_500 * segment(0xFE, b"x"),
    "unknown": b"".join(segment(0xE0 + n, b"?") for n in range(3, 13)),
    "FlashPix, torn": segment(0xE2, b"FPXR\0"),
}


@pytest.mark.parametrize("name", JPEG_NOTES)
@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_with_bad_notes_has_the_pixels_that_it_has_without(
    name: str, progressive: bool
) -> None:
    plain = saved("JPEG", (40, 24), progressive=progressive)
    data = jpeg_with(JPEG_NOTES[name], plain=plain)
    wanted = np.asarray(decode_bytes(plain))
    for in_channels in (3, 1):
        assert decode_bytes(data, in_channels).size == (40, 24)
    assert np.array_equal(np.asarray(decode_bytes(data)), wanted)


TIFF_TAGS: dict[str, tuple[int, int, list[object]]] = {
    "resolution, a text": (282, 2, [b"a"]),
    "resolution, nothing": (282, 4, []),
    "software, no text": (305, 3, [7, 7, 7]),
    "EXIF nowhere": (34665, 4, [4_000_000_000]),
    "EXIF in the header": (34665, 4, [0]),
    "GPS, a text": (34853, 2, [b"x"]),
    "XMP, numbers": (700, 3, [1, 2, 3]),
    "color profile, a number": (34675, 4, [9]),
    "Photoshop, a number": (34377, 4, [9]),
    "page, nothing": (297, 3, []),
    "unknown": (60_000, 3, [1]),
    "windows photo": (0xBC01, 3, [1]),
}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("name", TIFF_TAGS)
def test_a_tiff_with_bad_tags_that_no_pixel_needs_is_read(name: str, order: str) -> None:
    data = tiff(_RGB, 2, order=order, tags=[TIFF_TAGS[name]])
    assert np.array_equal(np.asarray(decode_bytes(data)), _RGB)


@pytest.mark.parametrize("kind", [1, 2, 3, 4, 5, 7, 12, 99])
def test_a_tag_of_a_tiff_that_lies_outside_of_the_file_is_skipped(kind: int) -> None:
    # That the samples are floats stands in a tag behind it.
    data = bytearray(tiff((_RGB / 255).astype(np.float32), 2, tags=[(305, 4, [1])]))
    place = data.index(struct.pack("<HH", 305, 4))
    data[place : place + 12] = struct.pack("<HHLL", 305, kind, 100, 4_000_000_000)
    found = np.asarray(decode_bytes(bytes(data))).astype(int)
    assert np.abs(found - _RGB).max() <= 1


def test_comments_of_a_gif_and_notes_of_webp_do_not_matter() -> None:
    plain, start = gif_with(), 13 + 3 * 256
    wanted = decode_bytes(plain).tobytes()
    for block in (
        b"!\xfe\xff" + bytes(255) + b"\0",
        b"!\xfe\0",
        b"!\x77\1x\0",
        b"!\xff\x0bXMP DataXMP\0",
    ):
        data = plain[:start] + block + plain[start:]
        assert decode_bytes(data).tobytes() == wanted
    for notes in ({"exif": b"garbage"}, {"xmp": b"\xff"}, {"icc_profile": b"garbage"}):
        file = io.BytesIO()
        Image.fromarray(_RGB).save(file, "WEBP", lossless=True, **notes)
        assert np.array_equal(np.asarray(decode_bytes(file.getvalue())), _RGB)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "BMP", "PPM", "TIFF", "WEBP", "AVIF"])
def test_no_message_shows_the_address_of_an_object(form: str) -> None:
    good, messages = saved(form, (30, 20)), set()
    for size in (*range(1, 60), 100, 200, 400):
        for data in (good[:size], good[:size] + b"\xff" * 99, good[:12] + good[12 + size :]):
            with contextlib.suppress(DataError):
                decode_bytes(data)
                continue
            messages.add(_message(data))
    assert messages
    assert not [text for text in messages if "0x" in text or "BytesIO" in text]


def _message(data: bytes) -> str:
    with pytest.raises(DataError) as caught:
        decode_bytes(data)
    return str(caught.value)
