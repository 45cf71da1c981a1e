"""One NIfTI file as a cube. Needs nibabel.

Legend: c channels, d x h x w voxels, s side of the cube.
"""

from __future__ import annotations

import math
import zlib
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from resnext.errors import DataError
from resnext.extras import needed_by

NIFTI_SUFFIXES = (".nii", ".nii.gz")
MAX_FILE_VOXELS = 2**28
"""Of one file, which is unpacked as float32: a gibibyte."""

_MAX_CHANNELS = 4


def is_nifti(name: str) -> bool:
    """Return whether a file is a NIfTI file by its name."""
    return name.lower().endswith(NIFTI_SUFFIXES)


def read_nifti(path: Path, side: int) -> torch.Tensor:
    """Read a file, turn it to the standard orientation (RAS+), and resample it to a cube.

    Where it shrinks, voxels are averaged; otherwise they are interpolated linearly. Voxel sizes are
    not taken into account: each axis fills the cube.

    Args:
        path: The file: three dimensions, or four with up to four channels.
        side: Voxels along each side of the cube.

    Returns:
        float32, c x s x s x s.

    Raises:
        ConfigError: nibabel is not installed.
        DataError: It is not what is accepted, or damaged; the message is only the reason.
    """
    with needed_by(f"{path}: reading NIfTI"):
        import nibabel as nib
    from nibabel.filebasedimages import ImageFileError
    from nibabel.imageglobals import LoggingOutputSuppressor
    from nibabel.spatialimages import HeaderDataError
    from nibabel.wrapstruct import WrapStructError

    damaged = (ImageFileError, HeaderDataError, WrapStructError, OSError, EOFError, zlib.error)
    try:
        with LoggingOutputSuppressor():
            image = nib.Nifti1Image.from_filename(str(path))
            _check_shape(image.shape)
            values = np.asarray(nib.as_closest_canonical(image).dataobj, dtype=np.float32)
    except FileNotFoundError:
        raise DataError("no such file") from None
    except (*damaged, ValueError, OverflowError, TypeError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"not a readable NIfTI file: {_first_line(error)}") from None
    if not np.isfinite(values).all():
        raise DataError("it contains values that are not finite")
    if values.ndim == 3:
        values = values[..., np.newaxis]
    volume_1cdhw = torch.from_numpy(np.ascontiguousarray(np.moveaxis(values, -1, 0)))[None]
    return _resample(volume_1cdhw, side)[0]


def _check_shape(shape: tuple[int, ...]) -> None:
    """Check the header before anything is unpacked."""
    channels = shape[3] if len(shape) == 4 else 1
    is_large = math.prod(shape) > MAX_FILE_VOXELS
    if len(shape) not in (3, 4) or min(shape) < 1 or channels > _MAX_CHANNELS or is_large:
        raise DataError(
            f"of shape {' x '.join(map(str, shape))}; accepted are three dimensions, or four with "
            f"1 to {_MAX_CHANNELS} channels in the last, and at most {MAX_FILE_VOXELS:,} values"
        )


def _resample(volume_1cdhw: torch.Tensor, side: int) -> torch.Tensor:
    size = (side,) * 3
    if min(volume_1cdhw.shape[2:]) >= side:
        return functional.adaptive_avg_pool3d(volume_1cdhw, size)
    return functional.interpolate(volume_1cdhw, size, mode="trilinear", align_corners=False)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
