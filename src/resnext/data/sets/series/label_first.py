"""The `.tsv` and `.txt` files of the UCR archive: one series per line, its class first."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from resnext.data.sets.series.raw import (
    MAX_CASES,
    RawSeries,
    check_shape,
    class_name,
    parse_values,
    read_series_text,
    sort_classes,
    without_end,
)
from resnext.data.signals.prepare import Series
from resnext.errors import DataError
from resnext.untrusted.names import shown

_MIN_FIELDS = 2


def read_label_first(path: Path) -> RawSeries:
    """Read lines of a class and the values behind it, separated by tabs, commas or spaces.

    Missing values at the end of a line, with which the archive fills up short series, are left
    out.

    Raises:
        DataError: A line is no such series; the message names it.
    """
    series: list[Series] = []
    labels: list[str] = []
    places: list[str] = []
    separator: str | None = None
    for number, line in enumerate(read_series_text(path).splitlines(), 1):
        if not line.strip():
            continue
        if not series:
            separator = next((mark for mark in ("\t", ",") if mark in line), None)
        place = f"line {number}"
        where = f"{path}, {place}"
        fields = line.strip(" ").split(separator, 1)
        if len(fields) < _MIN_FIELDS or not fields[0].strip():
            raise DataError(
                f"{where}: {shown(line.strip())}; accepted is a class and values behind it, all "
                "separated by tabs, commas or spaces"
            )
        values = without_end(parse_values(fields[1], where, separator))
        check_shape((1, len(values)), where)
        series.append(values[np.newaxis])
        labels.append(class_name(fields[0]))
        places.append(place)
        if len(series) > MAX_CASES:
            raise DataError(f"{path}: more than {MAX_CASES:,} series")
    if not series:
        raise DataError(
            f"{path} is empty; accepted is one series per line, with its class before the values"
        )
    return RawSeries(series, labels, sort_classes(set(labels)), places)
