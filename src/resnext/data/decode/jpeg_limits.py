"""Limits on JPEG files, checked from their markers without decoding."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from resnext.data.decode.image_errors import ImageLimitError, check_size, too_short
from resnext.data.decode.tiff_directory import check_exif
from resnext.errors import DataError

MAX_SCANS = 100
"""Each scan passes over all blocks of the image. Encoders write about 10; libtiff accepts 100."""

MAX_SEGMENTS = 2_000
"""Segments before the image data; Pillow takes about a microsecond for each."""

MAX_EXIF_BYTES = 4 * 2**20
"""EXIF of one segment is at most 64 KiB; Pillow joins several, copying all at each."""

_MAX_JUNK_BYTES = 2**16
_CHUNK_BYTES = 2**18
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # those three are tables
_HUFFMAN_SEQUENTIAL, _HUFFMAN_PROGRESSIVE = (0xC0, 0xC1), 0xC2
_NO_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})
_LENGTH = frozenset({0xC4, 0xCC, 0xDB, 0xDC, 0xDD, *range(0xE0, 0xF0), 0xFE}) | _FRAMES
_SCAN, _END = 0xDA, 0xD9
_TRUNCATED = "truncated: the JPEG ends within its header"
_JFIF_MARKER, _ADOBE_MARKER = 0xE0, 0xEE
_NOTES = frozenset({*range(0xE0, 0xF0), 0xFE})
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_EXIF, _MULTI_PICTURE = b"Exif\0\0", b"MPF\0"
# Between the segments of a scan: 0xFF is followed by 0, by a restart or by more of 0xFF.
_NEXT_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])", re.DOTALL)


class JpegHeader(NamedTuple):
    """Positions of the frame and the first scan marker.

    Attributes:
        frame: Of 0xC0 for baseline, 0xC2 for progressive, ...
        scan: Of 0xDA.
        is_tidy: Whether the segments are contiguous.
        notes: Byte ranges of the segments that do not affect pixels.
        exif: EXIF metadata; empty if there is none.
        xmp: XMP metadata; empty if there is none.
    """

    frame: int
    scan: int
    is_tidy: bool
    notes: tuple[tuple[int, int], ...] = ()
    exif: bytes = b""
    xmp: bytes = b""


def check_jpeg(data: bytes, max_pixels: int) -> None:
    """Refuse a JPEG that is disproportionately expensive to decode.

    Args:
        data: The file.
        max_pixels: Accepted.

    Raises:
        ImageLimitError: It has too many scans or segments, too much metadata, or too few bytes
            for its pixels.
        DataError: Its header is damaged.
    """
    header = read_jpeg_header(data)
    frame, scan = header.frame, header.scan
    marker, height, width = data[frame], _uint16(data, frame + 4), _uint16(data, frame + 6)
    num_components = data[frame + 8]
    check_size(width, height, max_pixels)
    _check_length(data, header, width, height)
    if marker not in _HUFFMAN_SEQUENTIAL or data[scan + 3] < num_components:
        _check_scans(data, scan - 1)


def read_jpeg_header(data: bytes) -> JpegHeader:
    """Find the frame and the first scan, as the decoders do.

    Raises:
        ImageLimitError: As `check_jpeg`.
        DataError: As `check_jpeg`.
    """
    position, frame, num_junk = 2, 0, 0
    exif: list[bytes] = []
    xmp, notes = b"", list[tuple[int, int]]()
    for _ in range(MAX_SEGMENTS):
        if position + 4 <= len(data) and data[position] == 0xFF and data[position + 1] in _LENGTH:
            offset = position + 1  # as nearly all are
        else:
            offset = _find_marker(data, position)
            num_junk += offset - 1 - position
            if num_junk >= _MAX_JUNK_BYTES:
                raise ImageLimitError("the JPEG has more than 64 KiB of bytes between its segments")
        marker = data[offset]
        if marker == 0 or marker in _NO_LENGTH:
            num_junk += 1
            position = offset + 1
            continue
        if marker == _SCAN and frame:
            if max(offset + 3, frame + 9 + 3 * 4) >= len(data):  # no decoder takes more than four
                raise DataError(_TRUNCATED)
            joined = b"".join(exif)
            check_exif(joined)
            return JpegHeader(frame, offset, num_junk == 0, tuple(notes), joined, xmp)
        position = offset + 1 + _uint16(data, offset + 1)
        if marker not in _LENGTH or (marker in _FRAMES and frame) or position < offset + 3:
            raise DataError("the JPEG's header is damaged")
        if marker in _FRAMES:
            frame = offset
        elif marker in _NOTES and not _tells_colors(data, offset, position):
            notes.append((offset - 1, position))
        if marker == 0xE1 and data.startswith(_XMP, offset + 3):
            xmp = data[offset + 3 + len(_XMP) : position]
        elif marker == 0xE1 and data.startswith(_EXIF, offset + 3):
            exif.append(data[offset + (9 if exif else 3) : position])
            if sum(map(len, exif)) > MAX_EXIF_BYTES:
                raise ImageLimitError("the JPEG has more than 4 MiB of EXIF metadata")
        elif marker == 0xE2 and data.startswith(_MULTI_PICTURE, offset + 3):
            check_exif(data[offset + 7 : position])
    raise ImageLimitError(f"the JPEG has more than {MAX_SEGMENTS:,} segments before its image data")


def _tells_colors(data: bytes, offset: int, end: int) -> bool:
    """Return whether a segment is a JFIF or Adobe segment that the decoder can use."""
    if data[offset] == _JFIF_MARKER:
        return data.startswith(b"JFIF\0", offset + 3) and end - offset >= 3 + 14
    return (
        data[offset] == _ADOBE_MARKER
        and data.startswith(b"Adobe", offset + 3)
        and end - offset >= 3 + 12
    )


def _find_marker(data: bytes, position: int) -> int:
    """Return the position of the next marker, skipping filler bytes."""
    start = data.find(b"\xff", position)
    offset = start + 1
    while data[offset : offset + 1] == b"\xff" and offset - start <= _MAX_JUNK_BYTES:
        offset += 1
    if start < 0 or offset + 2 >= len(data):
        raise DataError(_TRUNCATED)
    return offset


def _check_length(data: bytes, header: JpegHeader, width: int, height: int) -> None:
    """Check the bytes against the minimum for the blocks: 2 bits each, or 1 if progressive."""
    marker, number = data[header.frame], data[header.frame + 8]
    if marker not in _HUFFMAN_SEQUENTIAL and marker != _HUFFMAN_PROGRESSIVE:
        return  # arithmetic coding has no such bound
    bits = 1 if marker == _HUFFMAN_PROGRESSIVE else 2
    num_bits = 8 * (len(data) - header.scan)
    if 64 * num_bits >= bits * number * width * height:
        return  # enough even if no component is smaller than the image, as nearly always
    start = header.frame + 10
    sampling = data[start : start + 3 * number : 3]
    largest = max((s >> 4 for s in sampling), default=1) * max(
        (s & 15 for s in sampling), default=1
    )
    share = sum((s >> 4) * (s & 15) for s in sampling) / max(1, largest)
    num_blocks = share * width * height / 64
    if num_bits < bits * num_blocks:
        raise too_short("JPEG", width, height)


def _check_scans(data: bytes, start: int) -> None:
    # In a segment the two bytes may be no marker: where there are many, look again.
    if _count_pairs(data, start) > MAX_SCANS and count_scans(data, start) > MAX_SCANS:
        raise ImageLimitError(f"the JPEG has more than {MAX_SCANS} scans")


def _count_pairs(data: bytes, start: int) -> int:
    """Count 0xFF before 0xDA; `bytes.count` takes four times as long where 0xFF is common."""
    values, number = np.frombuffer(data, np.uint8), 0
    for first in range(start, len(values), _CHUNK_BYTES):
        part = values[first : first + _CHUNK_BYTES + 1]
        number += int(np.count_nonzero((part[:-1] == 0xFF) & (part[1:] == _SCAN)))
    return number


def count_scans(data: bytes, start: int) -> int:
    """Count the scans of a JPEG, up to one more than the limit.

    Args:
        data: The file.
        start: Position of the first marker.
    """
    num_scans, position = 0, start
    while num_scans <= MAX_SCANS:
        found = _NEXT_MARKER.search(data, position)
        if found is None or found[1][0] == _END:
            break
        num_scans += found[1][0] == _SCAN
        position = found.end()
        if found[1][0] not in _NO_LENGTH:
            position += int.from_bytes(data[position : position + 2])
    return num_scans


def _uint16(data: bytes, position: int) -> int:
    return data[position] << 8 | data[position + 1]
