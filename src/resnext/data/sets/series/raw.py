"""Series as a file holds them: of any length, with gaps, and with the names of their classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from resnext.data.signals.prepare import Series
from resnext.errors import DataError
from resnext.model.signal import MAX_CHANNELS, MAX_LENGTH
from resnext.untrusted.names import shown
from resnext.untrusted.parse import read_bytes

MAX_FILE_BYTES = 2**30
MAX_CASES = 5_000_000


@dataclass(frozen=True)
class RawSeries:
    """The series of one file.

    Attributes:
        series: c x t each; c is the same for all, t is not.
        labels: The name of each one's class, empty where a series has none; no names where the
            file has no classes.
        classes: Names of all classes, in the order of the outputs, as far as the file says them.
        lines: Position of each series in the file, for messages, such as `line 20`.
        source: Name of the file, with that of the split where it has several.
        numbers: Number in the file, from 0, of each series that `labelled` kept.
    """

    series: list[Series]
    labels: list[str]
    classes: tuple[str, ...]
    lines: list[str]
    source: str = ""
    numbers: Sequence[int] = ()

    def labelled(self) -> RawSeries:
        """Return the series that have a class."""
        rows = [row for row, label in enumerate(self.labels) if label]
        return replace(
            self,
            series=[self.series[row] for row in rows],
            labels=[self.labels[row] for row in rows],
            lines=[self.lines[row] for row in rows],
            numbers=rows,
        )


def read_series_text(path: Path) -> str:
    """Return the text of a file of series.

    Raises:
        DataError: It cannot be read, is too large or no text in UTF-8.
    """
    try:
        return read_bytes(path, MAX_FILE_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is not UTF-8 text (byte {error.start:,}); accepted are .ts, .tsv, .txt "
            "and .csv as text, and .npz and .parquet"
        ) from None
    except ValueError as error:
        raise DataError(f"{path} {error}") from None
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from None


def parse_values(text: str, where: str, separator: str | None = ",") -> npt.NDArray[np.float32]:
    """Read numbers in a row; `?`, an empty one and NaN are missing.

    Args:
        text: The numbers.
        where: File and line, for the message.
        separator: What stands between them; None for any white space.

    Raises:
        DataError: One is no number, or infinite.
    """
    words = text.split(separator)
    with np.errstate(over="ignore"):  # what overflows is infinite, and refused
        try:
            values = np.array(words, dtype=np.float32)
        except ValueError:
            values = np.array([_number(word, where) for word in words], dtype=np.float32)
    check_finite(values, where)
    return values


def check_finite(values: npt.NDArray[np.float32], where: str) -> None:
    """Refuse infinite values.

    Raises:
        DataError: There is one.
    """
    if np.isinf(values).any():
        raise DataError(
            f"{where}: a value is infinite or beyond the range of float32; accepted are finite "
            "numbers, and ? or NaN where one is missing"
        )


def check_shape(shape: Sequence[int], where: str) -> None:
    """Refuse a series of too many channels or steps, or of none.

    Raises:
        DataError: It is one of these.
    """
    channels, length = shape
    if not (1 <= channels <= MAX_CHANNELS and 1 <= length <= MAX_LENGTH):
        raise DataError(
            f"{where}: a series of {channels:,} channels and {length:,} steps; accepted are 1 to "
            f"{MAX_CHANNELS:,} channels and 1 to {MAX_LENGTH:,} steps"
        )


def check_channels(series: Series, first: Series, where: str) -> None:
    """Refuse a series of other channels than the first one.

    Raises:
        DataError: It has more or fewer.
    """
    if len(series) != len(first):
        raise DataError(
            f"{where}: {len(series)} channel(s), while the first series has {len(first)}; all "
            "must have the same"
        )


def without_end(values: Series) -> Series:
    """Leave out what is missing at the end, with which some files fill up short series."""
    known = np.flatnonzero(~np.isnan(values))
    return values[: known[-1] + 1] if known.size else values


def class_name(word: str) -> str:
    """Return a class by its plain name: a number such as `1.0000e+00` is `1`."""
    text = word.strip()
    try:
        number = float(text)
    except ValueError:
        return text
    is_whole = np.isfinite(number) and number == int(number)
    return str(int(number)) if is_whole else text


def sort_classes(names: set[str]) -> tuple[str, ...]:
    """Sort classes: numbers by their value, other names by their letters behind them.

    The empty name of series without a class is left out.
    """

    def key(name: str) -> tuple[bool, float, str]:
        try:
            number = float(name)
        except ValueError:
            number = np.nan
        return (True, 0.0, name) if np.isnan(number) else (False, number, name)

    return tuple(sorted(names - {""}, key=key))


def _number(word: str, where: str) -> float:
    text = word.strip()
    if text in ("", "?"):
        return np.nan
    try:
        return float(text)
    except ValueError:
        raise DataError(
            f"{where}: {shown(text)} is not a number; accepted are numbers, and ? or NaN where "
            "one is missing"
        ) from None
