"""The images that a Python program names or brings."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resnext.data.config import PYTHON, DataConfig
from resnext.errors import ConfigError
from resnext.untrusted.names import check_path, shown

if TYPE_CHECKING:
    from resnext.data.split import DataSet


@dataclass(frozen=True)
class GivenData:
    """Images to train on.

    Attributes:
        named: What `--data` takes, or settings; of a dataset, that it came from Python.
        dataset: The training images, if they are a dataset.
        val: The validation images, if they are another one.
        classes: Names of their classes, if they were given.
        batch_size: Of a loader around the dataset.
        workers: Likewise.
    """

    named: str | DataConfig | None
    dataset: Any = None
    val: Any = None
    classes: Sequence[str] | None = None
    batch_size: int | None = None
    workers: int | None = None

    def load(self, config: DataConfig) -> DataSet | None:
        """Return the images of a dataset; None where the settings name a set.

        Args:
            config: How many are kept for validation.

        Raises:
            ResNeXtError: Items or classes do not fit.
        """
        if self.dataset is None:
            return None
        from resnext.data.sets.python_set import python_data

        return python_data(self.dataset, self.val, self.classes, config.val_fraction)


def open_given(data: object, val: object = None, classes: Sequence[str] | None = None) -> GivenData:
    """Tell what was given.

    Args:
        data: A path, what `--data` takes, settings of a set, a dataset or a loader; or None.
        val: A dataset or a loader to validate on.
        classes: Names of the classes of a dataset.

    Raises:
        ConfigError: It is none of them, or a set that is named is given `val` or `classes`.
    """
    if data is None or isinstance(data, str | os.PathLike | DataConfig):
        for name, value in (("val", val), ("classes", classes)):
            if value is not None:
                raise ConfigError(
                    f"{name}= is for a dataset; a set that is named says its own. To keep some "
                    "classes only: settings={'data.classes': [...]}"
                )
        return GivenData(os.fspath(data) if isinstance(data, os.PathLike) else data)
    from resnext.data.sets.python_set import open_python_data

    train = open_python_data(data)
    return GivenData(
        DataConfig(name=PYTHON),
        train.dataset,
        None if val is None else open_python_data(val).dataset,
        classes,
        train.batch_size,
        train.workers,
    )


def as_path(name: str, given: object) -> Path | None:
    """Return a path that was given as text or path.

    Args:
        name: Of the argument, for the message.
        given: The path, or None.

    Raises:
        ConfigError: It is no path, or none that the system can take.
    """
    if given is None:
        return None
    if not isinstance(given, str | os.PathLike):
        raise ConfigError(f"{name}={shown(given)}: give a path as text or as pathlib.Path")
    try:
        return Path(check_path(os.fspath(given)))
    except ValueError as error:
        raise ConfigError(f"{name}={shown(str(given))}: {error}") from None
