"""Image files of every accepted format, damaged at random: each decodes, or is refused."""

from __future__ import annotations

import random
import struct
import time
import zlib
from functools import partial
from pathlib import Path

import mutation
from counts import Counts
from image_bases import BASES

from resnext.data.decode.image import Photo
from resnext.data.decode.jpeg import Box
from resnext.errors import DataError

MAX_PIXELS = 4_000_000
"""Of a damaged file; a few bytes may claim any size."""

MAX_SECONDS = 10.0
"""Of one file; the slowest takes half a second where nothing else runs."""

MAX_MORE_MIB = 400
_PNG = b"\x89PNG\r\n\x1a\n"
_STATUS = Path("/proc/self/status")
_TIFF_TAGS = (254, 256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284, 317, 320, 322, 323)
_TIFF_MORE_TAGS = (324, 325, 330, 338, 339, 347, 530, 700, 34665, 34853, 40965, 65000)
_FRAGMENTS = (
    *(b"\xff\xda\0\x08\1\1\0\1\x3f\0\0\0", b"\xff\xd9", b"\xff\xd8", b"\xff\xdd\0\4\0\1", b"\xff"),
    *(b"\xff\xfe\0\2" * 3000, b"\xff\xc2\0\x0b\x08\1\0\1\0\1\1\x11\0", b"\xff\xe1\0\x08Exif\0\0"),
    *(
        b"\0\0\0\0IDAT\x35\xaf\x06\x1e",
        b"\0\0\0\0IEND\xae\x42\x60\x82",
        b"!\xfe\1a\0",
        b"!\xff\x01a",
    ),
    *(b"\0\2\xff\xff", b"\0\0", b"\0\1", b"#\n" * 2000, b" 9" * 50, b"\n4096 4096\n", b"-1 "),
    *(b"VP8X\x0a\0\0\0", b"ANMF\x10\0\0\0", b"II*\0\x08\0\0\0", b"\0" * 4096, b"\xff" * 4096),
)


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Return an image file with damage, in places that its format makes much of.

    Args:
        data: A whole file.
        rng: Decides everything, so that a seed makes the same file again.
    """
    changed = mutation.mutate(data, rng, _FRAGMENTS)
    if data[:2] in (b"II", b"MM") and rng.random() < 0.7:
        changed = _edit_tags(data if rng.random() < 0.5 else changed, rng)
    if data.startswith(_PNG) and rng.random() < 0.8:
        changed = _with_checksums(changed)
    return changed


def run(num_files: int, seed: int, form: str) -> Counts:
    """Decode damaged files of one format, whole and in part.

    Args:
        num_files: How many.
        seed: Another seed makes other files.
        form: A key of `BASES`.
    """
    counts = Counts(f"image {form}")
    bases = BASES[form]()
    for number in range(num_files):
        rng = random.Random(f"{seed} {form} {number}")
        data = mutate(rng.choice(bases), rng)
        name = f"seed {seed}, number {number}"
        before, start = _reset_peak(), time.perf_counter()
        counts.add(name, partial(_use, data), DataError)
        seconds, more_mib = time.perf_counter() - start, _peak_mib() - before
        if seconds > MAX_SECONDS:
            counts.failures.append(f"{name}: took {seconds:.1f} s")
        if more_mib > MAX_MORE_MIB:
            counts.failures.append(f"{name}: took {more_mib} MiB")
    return counts


def _use(data: bytes) -> None:
    photo = Photo(data, max_pixels=MAX_PIXELS)
    width, height = photo.size
    box = Box(width // 3, height // 3, max(1, width // 3), max(1, height // 3))
    pixels, factor = photo.crop(box, 2)
    assert pixels.ndim == 3
    assert pixels.shape[0] <= box.height // factor + 2
    image = photo.load()
    assert (image.mode, image.size) == ("RGB", photo.size)


def _edit_tags(data: bytes, rng: random.Random) -> bytes:
    """Overwrite entries of the directory of a TIFF."""
    changed = bytearray(data)
    order = "<" if data[:2] == b"II" else ">"
    if len(data) < 16:
        return data
    (start,) = struct.unpack_from(order + "L", data, 4)
    for _ in range(rng.choice((1, 1, 2, 3))):
        place = start + 2 + 12 * rng.randrange(14)
        if place + 12 > len(data):
            continue
        tag, kind, count, value = struct.unpack_from(order + "HHLL", changed, place)
        odd = rng.choice((0, 1, 2, 3, 8, 16, 255, 1000, 65_535, 2**20, 2**31, 2**32 - 1, len(data)))
        choice = rng.randrange(4)
        if choice == 0:
            tag = rng.choice(_TIFF_TAGS + _TIFF_MORE_TAGS)
        elif choice == 1:
            kind = rng.randrange(18)
        elif choice == 2:
            count = odd
        else:
            value = odd
        struct.pack_into(order + "HHLL", changed, place, tag, kind, count, value)
    return bytes(changed)


def _with_checksums(data: bytes) -> bytes:
    """Make the checksums of a PNG right again, so that its damage reaches the decoder."""
    changed, position = bytearray(data), len(_PNG)
    while position + 12 <= len(changed):
        end = position + 8 + int.from_bytes(changed[position : position + 4])
        if end + 4 > len(changed):
            break
        changed[end : end + 4] = zlib.crc32(changed[position + 4 : end]).to_bytes(4)
        position = end + 4
    return bytes(changed)


def _reset_peak() -> int:
    if not _STATUS.exists():
        return 0
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _peak_mib()


def _peak_mib() -> int:
    """Return the most memory that this process held, in MiB; 0 where only Linux knows it."""
    if not _STATUS.exists():
        return 0
    lines = _STATUS.read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) // 1024
