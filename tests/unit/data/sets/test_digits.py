"""The digits are scikit-learn's, however they are read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from resnext.data.sets.digits import load_digits_set
from resnext.data.split import Split


def stored(split: Split) -> torch.Tensor:
    assert split.stored_nhwc is not None
    return split.stored_nhwc


def test_images_and_labels_are_those_of_scikit_learn() -> None:
    found, expected = load_digits_set(), load_digits()
    pairs = {
        (image.numpy().tobytes(), int(label))
        for split in (found.train, found.val)
        for image, label in zip(stored(split), split.targets_n, strict=True)
    }
    scaled = np.rint(expected.images * (255 / 16)).astype(np.uint8)
    assert pairs == {
        (image.tobytes(), int(label)) for image, label in zip(scaled, expected.target, strict=True)
    }
    assert len(found.train.targets_n) + len(found.val.targets_n) == len(expected.target)


def test_they_are_the_same_where_the_file_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    direct = load_digits_set()
    monkeypatch.setattr(Path, "is_file", lambda _: False)
    indirect = load_digits_set()
    assert direct.val.targets_n.equal(indirect.val.targets_n)
    assert stored(direct.val).equal(stored(indirect.val))


def test_reading_them_does_not_import_scikit_learn() -> None:
    program = (
        "import sys; from resnext.data.sets.digits import load_digits_set; load_digits_set(); "
        "assert 'sklearn' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
