"""Decompresses TIFF files whose pixels are wider than Pillow supports.

With changed tags the same file is an 8-bit grey image, as wide as a row has bytes, which libtiff
only decompresses. The predictor, which stores differences of neighbors, is then undone here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from resnext.data.decode.tiff_directory import change_directory

_WIDTH, _LENGTH, _BITS, _PHOTOMETRIC, _SAMPLES = 256, 257, 258, 262, 277
_STRIP_ROWS, _PLANES = 278, 284
_PREDICTOR, _EXTRA_SAMPLES, _SAMPLE_FORMAT = 317, 338, 339
_HORIZONTAL, _FLOATING_POINT = 2, 3


def as_grey_bytes(data: bytes, row_bytes: int, num_rows: int, strip_rows: int) -> bytes:
    """Return a TIFF with the tags of a grey image of 8 bits.

    Args:
        data: The file, in strips.
        row_bytes: Bytes of a row.
        num_rows: Rows of all planes.
        strip_rows: Rows of a strip; separate planes must only have whole strips.
    """
    size = {_WIDTH: row_bytes, _LENGTH: num_rows, _STRIP_ROWS: strip_rows}
    kind = {_BITS: 8, _PHOTOMETRIC: 1, _SAMPLES: 1, _PLANES: 1, _PREDICTOR: 1, _SAMPLE_FORMAT: 1}
    return change_directory(data, lambda tag: tag.number != _EXTRA_SAMPLES, size | kind)


def undo_predictor(
    rows: npt.NDArray[np.uint8], predictor: int, num_samples: int, kind: np.dtype[Any]
) -> npt.NDArray[Any]:
    """Return the samples of rows of bytes, h x (w samples).

    Args:
        rows: h x bytes.
        predictor: 1 for none, 2 for horizontal differences, 3 for those of floats.
        num_samples: Samples per pixel.
        kind: Data type of a sample, in the file's byte order.

    Source: TIFF 6.0, section 14; Adobe Photoshop TIFF Technical Note 3.
    """
    height = len(rows)
    if predictor == _HORIZONTAL:
        unsigned = rows.view(np.dtype(f"{kind.byteorder}u{kind.itemsize}"))
        native = unsigned.astype(unsigned.dtype.newbyteorder("=")).reshape(height, -1, num_samples)
        np.add.accumulate(native, axis=1, dtype=native.dtype, out=native)
        return native.reshape(height, -1).view(kind.newbyteorder("="))
    if predictor == _FLOATING_POINT:
        planes = np.add.accumulate(
            rows.reshape(height, -1, num_samples), axis=1, dtype=np.uint8
        ).reshape(height, kind.itemsize, -1)
        packed = np.ascontiguousarray(planes.transpose(0, 2, 1)).reshape(height, -1)
        return packed.view(kind.newbyteorder(">"))
    return rows.view(kind)
