"""The digits data set in scikit-learn: real images, without a download."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from resnext.data.array_split import ArraySplit
from resnext.data.random import bits, derive
from resnext.data.split import DataInfo, DataSet

_NUM_CLASSES = 10
_MAX_VALUE = 16
_SIDE_PX = 8
_VAL_FRACTION = 0.2


def load_digits_set() -> DataSet:
    """Load the 1,797 grey digits of 8 x 8 pixels.

    There is no official split: a fifth of each class, selected by a hash of the image's number, is
    used for validation. Both parts contain digits by the same 13 writers.

    Source: https://archive.ics.uci.edu/dataset/80 (its test part, CC BY 4.0).
    """
    rows_n65 = _read_rows()
    values = np.rint(rows_n65[:, :-1] * (255 / _MAX_VALUE)).astype(np.uint8)
    images_nhwc = torch.from_numpy(values).view(-1, _SIDE_PX, _SIDE_PX, 1)
    targets_n = torch.from_numpy(rows_n65[:, -1].astype(np.int64))
    val = _validation_mask(targets_n)
    train = ArraySplit(images_nhwc[~val], targets_n[~val])
    shares = train.images_nhwc.double() / 255
    info = DataInfo(
        name="digits",
        classes=tuple(str(digit) for digit in range(_NUM_CLASSES)),
        in_channels=1,
        image_size_px=_SIDE_PX,
        mean=(round(float(shares.mean()), 4),),
        std=(round(float(shares.std()), 4),),
    )
    return DataSet(info, train, ArraySplit(images_nhwc[val], targets_n[val]))


def _read_rows() -> NDArray[np.float64]:
    """Return 64 values from 0 to 16 and the digit of each image.

    scikit-learn's file is read without importing scikit-learn, which takes seconds.
    """
    package = importlib.util.find_spec("sklearn")
    assert package is not None
    assert package.origin is not None
    path = Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz"
    if path.is_file():
        return np.loadtxt(path, delimiter=",")
    from sklearn.datasets import load_digits  # where the file is, may change

    digits = load_digits()
    return np.column_stack([digits.data, digits.target])


def _validation_mask(targets_n: torch.Tensor) -> torch.Tensor:
    """Mark a fixed fraction of each class: the images with the smallest hashes."""
    hashes = bits(derive(0), torch.arange(len(targets_n)))
    mask = torch.zeros(len(targets_n), dtype=torch.bool)
    for label in range(_NUM_CLASSES):
        members = (targets_n == label).nonzero().squeeze(1)
        chosen = torch.argsort(hashes[members])[: round(_VAL_FRACTION * len(members))]
        mask[members[chosen]] = True
    return mask
