"""What the values of masks mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from resnext.data.targets import IGNORED
from resnext.errors import DataError

UNKNOWN_VALUE = -1


@dataclass(frozen=True)
class MaskRule:
    """What the values of mask files mean.

    Attributes:
        classes: Names of the classes.
        values: The value of each class in the files, 0 to 255.
        ignored: The value of pixels without a class, or None.
    """

    classes: tuple[str, ...]
    values: tuple[int, ...]
    ignored: int | None

    @property
    def table(self) -> npt.NDArray[np.int16]:
        """The class of each of the 256 values; `IGNORED` or `UNKNOWN_VALUE` where it has none."""
        table = np.full(256, UNKNOWN_VALUE, dtype=np.int16)
        if self.ignored is not None:
            table[self.ignored] = IGNORED
        table[list(self.values)] = np.arange(len(self.values))
        return table

    def classes_of(self, values_hw: npt.NDArray[np.uint8], name: str) -> npt.NDArray[np.uint8]:
        """Return the class of each pixel, or `IGNORED`.

        Args:
            values_hw: The values of a mask that was checked before.
            name: The mask, for the message.

        Raises:
            DataError: A value is no class.
        """
        classes_hw = self.table[values_hw]
        if (classes_hw == UNKNOWN_VALUE).any():
            raise DataError(
                f"its mask {name} has changed: it now contains a value that is not a class"
            )
        return classes_hw.astype(np.uint8)


class MaskFiles(NamedTuple):
    """The masks of a split of files.

    Attributes:
        names: Path of each image's mask below the root of the split.
        rule: What their values mean.
    """

    names: Sequence[str]
    rule: MaskRule
