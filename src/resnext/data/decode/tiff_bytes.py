"""The bytes of a compressed TIFF whose pixels are wider than any that Pillow hands over.

The same file with other tags is a grey image of 8 bits, as wide as a row has bytes: libtiff
decompresses it, whatever the compression, and does no more. What it would have done then is done
here: to undo the predictor, by which neighbors were subtracted before they were compressed.
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
        strip_rows: Rows of a strip; separate planes must have whole ones only.
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
        num_samples: Of a pixel.
        kind: Of a sample, in the file's order of bytes.

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
