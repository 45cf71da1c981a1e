"""TIFF images of more than 8 bits, most of which Pillow truncates, clips or does not support."""

from __future__ import annotations

import io
import sys
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import ImageFile, ImagePalette
from PIL.TiffImagePlugin import (
    COLORMAP,
    COMPRESSION,
    COMPRESSION_INFO,
    IMAGELENGTH,
    IMAGEWIDTH,
    PREDICTOR,
    ROWSPERSTRIP,
    STRIPOFFSETS,
    ImageFileDirectory_v2,
    TiffImageFile,
)

from resnext.data.decode.deep_png import UPPER_OF_16, join_bytes, set_raw_mode
from resnext.data.decode.depth import Values
from resnext.data.decode.flatten import PREMULTIPLIED
from resnext.data.decode.image_errors import NotAnImageError
from resnext.data.decode.samples import Samples
from resnext.data.decode.tiff_bytes import as_grey_bytes, undo_predictor
from resnext.data.decode.tiff_directory import without_notes
from resnext.data.decode.tiff_layout import RAW_MODES, TiffLayout, declared_range, read_layout
from resnext.errors import DataError

_WHITE_IS_ZERO, _RGB, _YCBCR = 0, 2, 6
_PREMULTIPLIED, _STRAIGHT = 1, 2
_LOWER_BYTES = {"little": "B", "big": "L"}[sys.byteorder]


class TiffFile(TiffImageFile):
    """A TIFF, including those whose samples Pillow has no mode for.

    The orientation is not applied, and `size` is that of the stored pixels: callers apply it, as
    for every other format.

    Attributes:
        layout: Layout of its samples.
        content: The file without tags that do not affect pixels.
    """

    layout: TiffLayout

    def __init__(self, data: bytes) -> None:
        """Read the header.

        Args:
            data: The file.

        Raises:
            NotAnImageError: Its samples are of a kind that is not supported.
            SyntaxError: It is damaged.
        """
        self.content = without_notes(data)
        super().__init__(io.BytesIO(self.content))

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
            declared_range(self.tag_v2, layout),
            has_alpha=has_alpha,
            is_premultiplied=kinds == (_PREMULTIPLIED,),
            is_inverted=layout.photometric == _WHITE_IS_ZERO,
        )

    def load_end(self) -> None:
        """Skip the orientation; Pillow would also rewrite the metadata."""

    def load_raw(self, mode: str, raw_mode: str) -> npt.NDArray[Any]:
        """Decode the pixels with libtiff in a chosen mode."""
        self._mode = mode
        self._use_libtiff(raw_mode)
        self.load()
        return np.asarray(self)

    def _use_libtiff(self, raw_mode: str) -> None:
        self.use_load_libtiff = True
        args = (raw_mode, self._compression, False, self.tag_v2.offset)
        self.tile = [ImageFile._Tile("libtiff", (0, 0, *self._tile_size), 0, args)]

    def _setup(self) -> None:
        self.layout = read_layout(self.tag_v2)
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
        """Keep the colors premultiplied: Pillow's division would lose transparent ones."""
        args = self.tile[0].args if self.tile else ()
        raw_mode = str(args[0]) if isinstance(args, tuple) and args else ""
        if raw_mode.startswith("RGBa"):
            set_raw_mode(self, raw_mode.replace("a", "A"))
            self.info[PREMULTIPLIED] = True

    def _fix_palette(self) -> None:
        """Fix a palette with 8-bit values in 16 bits, which Pillow would turn black."""
        colors = self.tag_v2.get(COLORMAP, ())
        if self.palette is not None and colors and max(colors) < 256:
            self.palette = ImagePalette.raw("RGB;L", bytes(colors))

    def _values(self) -> Values:
        layout = self.layout
        if layout.bits == 12:
            return self.load_raw("I;16", "I;12")[:, :, None]
        if layout.is_raw:
            return _read_strips(self.content, self.tag_v2, layout)
        if layout.is_wide:
            return self._wide_values()
        mode, raw_mode = RAW_MODES[layout.pixel_bits]
        pixels = self.load_raw(mode, raw_mode)
        if raw_mode.endswith("N"):
            if layout.bits == 16 and _is_full(pixels, self.tag_v2, layout):
                return pixels
            lower = TiffFile(self.content).load_raw(mode, raw_mode[:-1] + _LOWER_BYTES)
            pixels = join_bytes(pixels, lower)
        kind = np.dtype(f"{layout.kind}{layout.bits // 8}")
        height, width = pixels.shape[:2]
        return pixels.reshape(height, -1).view(kind).reshape(height, width, -1)

    def _wide_values(self) -> Values:
        layout, (width, height) = self.layout, self.size
        num_planes = layout.num_samples if layout.is_planar else 1
        row_bytes = width * layout.pixel_bits // 8 // num_planes
        strip_rows = min(self.tag_v2.get(ROWSPERSTRIP, height), height)
        grey = TiffFile(as_grey_bytes(self.content, row_bytes, num_planes * height, strip_rows))
        kind = np.dtype(f"{layout.byte_order}{layout.kind}{layout.bits // 8}")
        predictor = self.tag_v2.get(PREDICTOR, 1)
        num_samples = layout.num_samples // num_planes
        values = undo_predictor(np.asarray(grey), predictor, num_samples, kind)
        if layout.is_planar:
            return np.moveaxis(values.reshape(num_planes, height, width), 0, 2)
        return values.reshape(height, width, num_samples)


def _is_full(upper: npt.NDArray[np.uint8], tags: ImageFileDirectory_v2, layout: TiffLayout) -> bool:
    """Return whether the upper bytes show that the values use all 16 bits."""
    if layout.kind != "u" or declared_range(tags, layout):
        return False
    return int(upper[:, :, : layout.num_colors].max()) >= UPPER_OF_16


def _read_strips(data: bytes, tags: ImageFileDirectory_v2, layout: TiffLayout) -> Values:
    """Read uncompressed samples from the file.

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
