"""TIFF images of more than 8 bits, of which Pillow knows few, and cuts or clips most."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import ImageFile, ImagePalette
from PIL.TiffImagePlugin import (
    BITSPERSAMPLE,
    COLORMAP,
    COMPRESSION,
    COMPRESSION_INFO,
    EXTRASAMPLES,
    FILLORDER,
    IMAGELENGTH,
    IMAGEWIDTH,
    PHOTOMETRIC_INTERPRETATION,
    PLANAR_CONFIGURATION,
    ROWSPERSTRIP,
    SAMPLEFORMAT,
    SAMPLESPERPIXEL,
    STRIPOFFSETS,
    ImageFileDirectory_v2,
    TiffImageFile,
)

from resnext.data.deep_png import UPPER_OF_16, join_bytes, set_raw_mode
from resnext.data.depth import Range, Values
from resnext.data.flatten import PREMULTIPLIED
from resnext.data.image_errors import NotAnImageError
from resnext.data.samples import Samples
from resnext.data.tiff_directory import without_notes
from resnext.errors import DataError

_NUM_COLORS = {0: 1, 1: 1, 2: 3, 5: 4}  # white is zero, black is zero, RGB, CMYK
_WHITE_IS_ZERO, _RGB, _YCBCR = 0, 2, 6
_PREMULTIPLIED, _STRAIGHT = 1, 2
_MIN_SAMPLE, _MAX_SAMPLE, _S_MIN_SAMPLE, _S_MAX_SAMPLE = 280, 281, 340, 341
_KINDS = {1: "u", 2: "i", 3: "f", 4: "u"}  # of numbers, as numpy names them
_BITS = {"u": (8, 16, 32, 64), "i": (8, 16, 32, 64), "f": (16, 32, 64)}
# Modes in which Pillow hands over pixels of so many bits as they are; of those with ";16" the
# upper bytes only.
_RAW_MODES = {
    8: ("L", "L"),
    16: ("LA", "LA"),
    32: ("RGBA", "RGBA"),
    48: ("RGB", "RGB;16N"),
    64: ("RGBA", "RGBA;16N"),
}
_LOWER_BYTES = {"little": "B", "big": "L"}[sys.byteorder]


class Layout(NamedTuple):
    """How a TIFF holds its samples.

    Attributes:
        photometric: What they mean.
        bits: Of each sample; 0 if they differ.
        kind: u, i or f as in numpy; empty if unknown.
        num_samples: Of each pixel.
        extra: Kinds of the samples behind the colors.
        is_planar: Each sample has a plane of its own.
        is_raw: They lie in strips as they are, without compression.
        byte_order: < or >.
    """

    photometric: int
    bits: int
    kind: str
    num_samples: int
    extra: tuple[int, ...]
    is_planar: bool
    is_raw: bool
    byte_order: str

    @property
    def num_colors(self) -> int:
        """Samples of a pixel that are colors; 0 if they are none that is known here."""
        number = _NUM_COLORS.get(self.photometric, 0)
        return number if number <= self.num_samples else 0

    @property
    def pixel_bits(self) -> int:
        """Bits of a pixel."""
        return self.bits * self.num_samples

    @property
    def is_deep(self) -> bool:
        """Whether the samples are read here: Pillow has a wrong mode for them, or none."""
        if not self.kind or not self.num_colors:
            return False
        if self.bits == 12:
            return self.num_samples == 1 and self.kind == "u"
        if self.is_planar and not self.is_raw and self.num_samples > 1:
            return False
        if not self.is_raw and self.pixel_bits not in _RAW_MODES:
            return False
        is_odd = self.kind == "i" or (self.num_colors == 1 and self.num_samples > 1)
        return self.bits in _BITS[self.kind] and (self.bits > 8 or is_odd)

    def describe(self) -> str:
        """Say what the samples are, in words."""
        kind = {"u": "unsigned", "i": "signed", "f": "floating-point"}.get(self.kind, "unknown")
        return (
            f"{self.num_samples} sample(s) a pixel of {self.bits or 'different'} bits, {kind}, "
            f"photometric interpretation {self.photometric}"
        )


class TiffFile(TiffImageFile):
    """A TIFF, also one for whose samples Pillow knows no mode.

    The pixels are not turned, and `size` is that of the pixels: callers turn them, as for every
    other format.
    """

    layout: Layout

    def __init__(self, data: bytes) -> None:
        """Read the header.

        Args:
            data: The file.

        Raises:
            NotAnImageError: Its samples are of a kind that is not supported.
            SyntaxError: It is damaged.
        """
        self._data = without_notes(data)
        super().__init__(io.BytesIO(self._data))

    def samples(self) -> Samples | None:
        """Read the samples; None if Pillow's own 8 bits are right.

        Raises:
            DataError: They are damaged.
        """
        layout = self.layout
        if not layout.is_deep:
            return None
        kinds = layout.extra[:1]
        if not layout.extra and layout.photometric == _RGB and layout.num_samples == 4:
            kinds = (_STRAIGHT,)  # as Pillow takes it
        has_alpha = kinds in ((_STRAIGHT,), (_PREMULTIPLIED,)) and layout.num_colors < 4
        return Samples(
            self._values()[:, :, : layout.num_colors + has_alpha],
            _declared(self.tag_v2, layout),
            has_alpha=has_alpha,
            is_premultiplied=kinds == (_PREMULTIPLIED,),
            is_inverted=layout.photometric == _WHITE_IS_ZERO,
        )

    def load_end(self) -> None:
        """Do not turn the image; Pillow would also write its metadata again."""

    def load_raw(self, mode: str, raw_mode: str) -> npt.NDArray[Any]:
        """Decode the pixels in a mode of our choice, by libtiff."""
        self._mode = mode
        self._use_libtiff(raw_mode)
        self.load()
        return np.asarray(self)

    def _use_libtiff(self, raw_mode: str) -> None:
        self.use_load_libtiff = True
        args = (raw_mode, self._compression, False, self.tag_v2.offset)
        self.tile = [ImageFile._Tile("libtiff", (0, 0, *self._tile_size), 0, args)]

    def _setup(self) -> None:
        self.layout = _read_layout(self.tag_v2)
        if self.layout.is_deep:
            self._mode = "RGB" if self.layout.num_colors > 1 else "L"
            self._compression = COMPRESSION_INFO[self.tag_v2.get(COMPRESSION, 1)]
        else:
            try:
                super()._setup()
            except SyntaxError as error:
                raise NotAnImageError(
                    f"a TIFF of this kind is not supported ({self.layout.describe()}); save it "
                    "as RGB or grey of 8 or 16 bits, or without compression"
                ) from error
            if self.layout.photometric == _YCBCR and not self.use_load_libtiff:
                self._tile_size = (self.tag_v2[IMAGEWIDTH], self.tag_v2[IMAGELENGTH])
                self._use_libtiff("RGBX")  # Pillow itself cannot convert them without it
            self._keep_premultiplied()
            self._fix_palette()
        self._size = self._tile_size = (self.tag_v2[IMAGEWIDTH], self.tag_v2[IMAGELENGTH])

    def _keep_premultiplied(self) -> None:
        """Have the colors as they are: Pillow's division would lose the transparent ones."""
        args = self.tile[0].args if self.tile else ()
        raw_mode = str(args[0]) if isinstance(args, tuple) and args else ""
        if raw_mode.startswith("RGBa"):
            set_raw_mode(self, raw_mode.replace("a", "A"))
            self.info[PREMULTIPLIED] = True

    def _fix_palette(self) -> None:
        """Take a palette of 8-bit values in 16 bits for what it is; Pillow would make it black."""
        colors = self.tag_v2.get(COLORMAP, ())
        if self.palette is not None and colors and max(colors) < 256:
            self.palette = ImagePalette.raw("RGB;L", bytes(colors))

    def _values(self) -> Values:
        layout = self.layout
        if layout.bits == 12:
            return self.load_raw("I;16", "I;12")[:, :, None]
        if layout.is_raw:
            return _read_strips(self._data, self.tag_v2, layout)
        mode, raw_mode = _RAW_MODES[layout.pixel_bits]
        pixels = self.load_raw(mode, raw_mode)
        if raw_mode.endswith("N"):
            if layout.bits == 16 and _is_full(pixels, self.tag_v2, layout):
                return pixels
            lower = TiffFile(self._data).load_raw(mode, raw_mode[:-1] + _LOWER_BYTES)
            pixels = join_bytes(pixels, lower)
        kind = np.dtype(f"{layout.kind}{layout.bits // 8}")
        height, width = pixels.shape[:2]
        return pixels.reshape(height, -1).view(kind).reshape(height, width, -1)


def _read_layout(tags: ImageFileDirectory_v2) -> Layout:
    num_samples = tags.get(SAMPLESPERPIXEL, 1)
    bits = tags.get(BITSPERSAMPLE, (1,))[:num_samples]
    kinds = tags.get(SAMPLEFORMAT, (1,))
    is_uniform = len(set(bits)) == len(set(kinds)) == 1
    is_raw = tags.get(COMPRESSION, 1) == 1 and STRIPOFFSETS in tags and tags.get(FILLORDER, 1) == 1
    return Layout(
        photometric=tags.get(PHOTOMETRIC_INTERPRETATION, 0),
        bits=bits[0] if is_uniform else 0,
        kind=_KINDS.get(kinds[0], "") if is_uniform else "",
        num_samples=num_samples,
        extra=tuple(tags.get(EXTRASAMPLES, ())),
        is_planar=tags.get(PLANAR_CONFIGURATION, 1) == 2,
        is_raw=is_raw,
        byte_order="<" if tags.prefix == b"II" else ">",
    )


def _declared(tags: Mapping[int, Any], layout: Layout) -> tuple[Range, ...]:
    """Return the range that the file declares; 12 bits declare themselves."""
    if layout.bits == 12:
        return (Range(0, 2**12 - 1),)
    blacks = _numbers(tags, _S_MIN_SAMPLE) or _numbers(tags, _MIN_SAMPLE)
    whites = _numbers(tags, _S_MAX_SAMPLE) or _numbers(tags, _MAX_SAMPLE)
    if not whites:
        return ()
    black = min(blacks[: layout.num_colors], default=0.0)
    white = max(whites[: layout.num_colors])
    return (Range(black, white),) if black < white else ()


def _numbers(tags: Mapping[int, Any], number: int) -> list[float]:
    value = tags.get(number, ())
    values = value if isinstance(value, tuple) else (value,)
    return [one for one in values if isinstance(one, (int, float)) and np.isfinite(one)]


def _is_full(upper: npt.NDArray[np.uint8], tags: Mapping[int, Any], layout: Layout) -> bool:
    """Tell by the upper bytes that the values have all 16 bits, so that these are enough."""
    if layout.kind != "u" or _declared(tags, layout):
        return False
    return int(upper[:, :, : layout.num_colors].max()) >= UPPER_OF_16


def _read_strips(data: bytes, tags: Mapping[int, Any], layout: Layout) -> Values:
    """Read samples that lie in the file as they are.

    Raises:
        DataError: The file ends before them.
    """
    width, height = tags[IMAGEWIDTH], tags[IMAGELENGTH]
    rows = min(tags.get(ROWSPERSTRIP, height), height)
    num_planes = layout.num_samples if layout.is_planar else 1
    row_bytes = width * layout.pixel_bits // 8 // num_planes
    heights = num_planes * [min(rows, height - top) for top in range(0, height, rows)]
    parts = [
        data[start : start + number * row_bytes]
        for start, number in zip(tags[STRIPOFFSETS], heights, strict=False)
    ]
    content = b"".join(parts)
    if len(content) != height * num_planes * row_bytes:
        raise DataError("truncated: the TIFF ends before its pixels")
    values = np.frombuffer(content, f"{layout.byte_order}{layout.kind}{layout.bits // 8}")
    if layout.is_planar:
        return np.moveaxis(values.reshape(num_planes, height, width), 0, 2)
    return values.reshape(height, width, layout.num_samples)
