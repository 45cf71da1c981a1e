"""The memory that decoding unusual images is said to take, held against what it takes."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hostile_images import grey, png_of, saved, tiff_of_one, tiff_of_tiles, webp_of_codes
from made_images import tiff
from PIL import Image
from python_process import run_python

from resnext.data.decode.image import open_image

SIDE = 1100
_STATUS = Path("/proc/self/status")
_N16 = np.random.default_rng(0).integers(0, 65_536, (SIDE, SIDE, 4), dtype=np.uint16)
_SIZE = (SIDE, SIDE)

# A process of its own, whose peak of memory can be set back to what it holds now.
_MEASURE = """
import sys
from pathlib import Path
from resnext.data.decode.image import decode_bytes, open_image
from resnext.data.decode.image_limits import decoding_bytes

def peak_bytes():
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])

small, large = (Path(name).read_bytes() for name in sys.argv[1:])
decode_bytes(small)  # Pillow's modules are loaded by now
Path("/proc/self/clear_refs").write_text("5")
before = peak_bytes()
with open_image(large) as image:
    told = decoding_bytes(image, large)
decode_bytes(large)
print(told, peak_bytes() - before)
"""


def _turned(form: str, mode: str = "RGB") -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(form, _SIZE, mode, exif=exif)


def _tiff(values: np.ndarray, bits: int) -> bytes:
    samples = values.shape[2] if values.ndim == 3 else 1
    more = [(338, 3, [2])] if samples == 4 else []  # the fourth is transparency
    return tiff_of_one(grey(*_SIZE, 8, bits, samples), zlib.compress(values.tobytes(), 1), *more)


_FILES: dict[str, Callable[[], bytes]] = {
    "PNG of 16 bits": lambda: png_of(_SIZE, 16, 6, b"".join(b"\0" + row.tobytes() for row in _N16)),
    "PNG of 16 bits, interlaced": lambda: png_of(_SIZE, 16, 6, bytes(SIDE * SIDE * 9), 1),
    "PNG of 12 bits in 16": lambda: png_of(
        _SIZE, 16, 6, b"".join(b"\0" + (row // 16).byteswap().tobytes() for row in _N16)
    ),
    "PNG of one column": lambda: png_of((1, SIDE**2), 8, 6, bytes(5 * SIDE**2)),
    "PNG of one column, grey": lambda: png_of((1, SIDE**2), 8, 4, bytes(3 * SIDE**2)),
    "PNG, transparent palette": lambda: saved("PNG", _SIZE, "P", transparency=bytes(99)),
    "PNG, turned": lambda: _turned("PNG", "RGBA"),
    "JPEG, turned": lambda: _turned("JPEG"),
    "JPEG, progressive": lambda: saved("JPEG", _SIZE, "CMYK", progressive=True, quality=50),
    "GIF, transparent": lambda: saved("GIF", _SIZE, "P", transparency=3),
    "PPM of 16 bits": lambda: b"P6 %d %d 900\n" % _SIZE + _N16[..., :3].tobytes(),
    "PGM of 16 bits": lambda: b"P5 %d %d 900\n" % _SIZE + _N16[..., 0].tobytes(),
    "PGM in digits": lambda: b"P2 %d %d 900\n" % _SIZE + SIDE**2 * b"1 ",
    "TIFF of 16 bits": lambda: _tiff(_N16, 16),
    "TIFF of 32 bits": lambda: _tiff(_N16[..., 0].astype("u4"), 32),
    "TIFF of 64 bits": lambda: _tiff(_N16.view("u8").copy()[..., 0], 64),
    "TIFF of RGB and 64 bits, uncompressed": lambda: tiff(np.ones((SIDE, SIDE, 3)), 2),
    "PPM in digits": lambda: b"P3 %d %d 65535\n" % _SIZE + 3 * SIDE**2 * b"1 ",
    "AVIF": lambda: saved("AVIF", _SIZE, "RGBA"),
    "TIFF of a tile": lambda: tiff_of_tiles(1024, 2048),
    "WebP, lossless": lambda: saved("WEBP", _SIZE, "RGBA", lossless=True),
    "WebP of many codes": lambda: webp_of_codes(SIDE, SIDE),
}


@pytest.mark.slow
@pytest.mark.skipif(not _STATUS.exists(), reason="only Linux tells a process's peak of memory")
@pytest.mark.parametrize("name", _FILES)
def test_unusual_images_take_no_more_memory_than_is_set_aside_for_them(
    tmp_path: Path, name: str
) -> None:
    large = _FILES[name]()
    with open_image(large) as image:
        form, (width, height) = image.format or "", image.size
    (tmp_path / "large").write_bytes(large)
    (tmp_path / "small").write_bytes(saved(form, (8, 8)))
    found = run_python(_MEASURE, tmp_path / "small", tmp_path / "large")
    told, taken = map(int, found.split())
    # Beside the pixels there are small objects of the decoders.
    assert width * height < taken <= told * 1.02 + 2**20
