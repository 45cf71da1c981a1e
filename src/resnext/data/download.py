"""Fetch the small data sets through torchvision, and say what to do where that fails."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from resnext.errors import DataError

_SITES = {
    "FashionMNIST": "https://github.com/zalandoresearch/fashion-mnist",
    "CIFAR10": "https://www.cs.toronto.edu/~kriz/cifar.html",
    "CIFAR100": "https://www.cs.toronto.edu/~kriz/cifar.html",
}


def download(name: str, root: Path, official_files: Sequence[str]) -> Any:
    """Open a data set of torchvision below a folder, fetching or unpacking what is missing.

    torchvision checks the files' MD5 sums before it reads them.

    Args:
        name: Name of the class in `torchvision.datasets`.
        root: Folder that has or gets the files.
        official_files: What a person could put there instead.

    Returns:
        torchvision's training and test set.

    Raises:
        DataError: The files can be neither found nor fetched.
    """
    from torchvision import datasets  # slow to import

    kind = getattr(datasets, name)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # stdout may carry a JSON document
            root.mkdir(parents=True, exist_ok=True)
            return tuple(kind(root, train=train, download=True) for train in (True, False))
    # No network, no right to write, no space, a damaged archive: all are cured alike.
    except (OSError, RuntimeError, EOFError) as error:
        raise DataError(
            f"{name} is not in {root} and cannot be fetched ({error}). Get the official "
            f"file{'s' if len(official_files) > 1 else ''} {', '.join(official_files)} from "
            f"{_SITES[name]}, put them into a folder and name it: --data NAME:FOLDER"
        ) from error
