"""Images given by a Python program, as names or objects."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from resnext.api.checks import check_words
from resnext.data.config import DataConfig
from resnext.data.set_names import PYTHON
from resnext.errors import ConfigError
from resnext.untrusted.names import check_path, shown, with_home

if TYPE_CHECKING:
    from resnext.data.split import DataSet


@dataclass(frozen=True)
class GivenData:
    """Images to train on.

    Attributes:
        named: Name or path as for `--data`, or settings; for a dataset, a marker.
        dataset: The training images, if they are a dataset.
        val: The validation images, if they are a separate dataset.
        classes: Names of their classes, if given.
        batch_size: Batch size of a loader around the dataset.
        workers: Workers of the loader.
    """

    named: str | DataConfig | None
    dataset: Any = None
    val: Any = None
    classes: Sequence[str] | None = None
    batch_size: int | None = None
    workers: int | None = None

    def load(self, config: DataConfig) -> DataSet | None:
        """Return the images of a dataset; None if the data set is named.

        Args:
            config: Settings, with the fraction for validation.

        Raises:
            ResNeXtError: Items or classes do not fit.
        """
        if self.dataset is None:
            return None
        from resnext.data.sets.python_set import python_data

        return python_data(self.dataset, self.val, self.classes, config.val_fraction)


def open_given(data: object, val: object = None, classes: Sequence[str] | None = None) -> GivenData:
    """Interpret the given data.

    Args:
        data: A path or name as for `--data`, settings, a dataset or a loader; or None.
        val: A dataset or a loader to validate on.
        classes: Names of the classes of a dataset.

    Raises:
        ConfigError: It is none of them, or `val` or `classes` are given with a named data set.
    """
    check_words("classes", classes)
    if data is None or isinstance(data, str | os.PathLike | DataConfig):
        for name, value in (("val", val), ("classes", classes)):
            if value is not None:
                raise ConfigError(
                    f"{name}= is only for a dataset; a named data set has its own. To keep only "
                    "some classes: settings={'data.classes': [...]}"
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


@overload
def as_path(name: str, given: str | os.PathLike[str]) -> Path: ...


@overload
def as_path(name: str, given: object) -> Path | None: ...


def as_path(name: str, given: object) -> Path | None:
    """Return a path given as string or path, with `~/` replaced by the home folder.

    Args:
        name: Name of the argument, for the message.
        given: The path, or None.

    Raises:
        ConfigError: It is not a path, or not valid on this system.
    """
    if given is None:
        return None
    if not isinstance(given, str | os.PathLike):
        raise ConfigError(f"{name}={shown(given)}: give a path as str or pathlib.Path")
    try:
        return Path(check_path(with_home(os.fspath(given))))
    except ValueError as error:
        raise ConfigError(f"{name}={shown(str(given))}: {error}") from None
