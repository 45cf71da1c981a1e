"""The `.ts` files of the UCR and UEA archives: a header, then one series a line.

Channels stand one behind the other, separated by colons, and the class behind the last one.

Source: https://www.aeon-toolkit.org/en/stable/api_reference/file_specifications/ts.html
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from resnext.data.sets.series.raw import (
    MAX_CASES,
    RawSeries,
    check_channels,
    check_shape,
    class_name,
    parse_values,
    read_series_text,
)
from resnext.data.signals.prepare import Series
from resnext.errors import DataError
from resnext.untrusted.names import list_names, shown

_MAX_CLASSES = 100_000
_REMARKS = ("#", "%")


def read_ts(path: Path) -> RawSeries:
    """Read a `.ts` file.

    Raises:
        DataError: It is no such file, its series have time stamps or numbers to predict, or a
            line is wrong; the message names the line.
    """
    lines = read_series_text(path).splitlines()
    start, classes = _read_header(path, lines)
    known = set(classes or ())
    series: list[Series] = []
    labels: list[str] = []
    places: list[str] = []
    for number, line in enumerate(lines[start:], start + 1):
        if not line.strip() or line.startswith(_REMARKS):
            continue
        place = f"line {number}"
        where = f"{path}, {place}"
        fields = line.split(":")
        if classes is not None:
            label = class_name(fields.pop())
            if label not in known:
                raise DataError(
                    f"{where}: the class {shown(label)} is not among those of @classLabel: "
                    f"{list_names(classes, write=shown)}"
                )
            labels.append(label)
        found = _read_channels(fields, where)
        check_channels(found, series[0] if series else found, where)
        series.append(found)
        places.append(place)
        if len(series) > MAX_CASES:
            raise DataError(f"{path}: more than {MAX_CASES:,} series")
    if not series:
        raise DataError(f"{path}: no series below @data")
    return RawSeries(series, labels, classes or (), places)


def _read_header(path: Path, lines: list[str]) -> tuple[int, tuple[str, ...] | None]:
    """Return the index of the first line of data, and the classes if series have one."""
    classes: tuple[str, ...] | None = None
    for index, line in enumerate(lines):
        words = line.split()
        if not words or line.lstrip().startswith(_REMARKS):
            continue
        tag, values = words[0].lower(), words[1:]
        is_on = bool(values) and values[0].lower() == "true"
        where = f"{path}, line {index + 1}"
        if tag == "@data":
            return index + 1, classes
        if not tag.startswith("@"):
            break
        if tag == "@timestamps" and is_on:
            raise DataError(
                f"{where}: series with time stamps are not read; write equally spaced values "
                "and @timeStamps false"
            )
        if tag == "@targetlabel" and is_on:
            raise DataError(
                f"{where}: numbers to predict (@targetLabel) are not read; accepted are series "
                "with classes (@classLabel true A B ...)"
            )
        if tag == "@classlabel" and is_on:
            classes = tuple(class_name(word) for word in values[1:])
            if not classes or len(set(classes)) < len(classes) or len(classes) > _MAX_CLASSES:
                raise DataError(
                    f"{where}: @classLabel true must be followed by the classes, each once, at "
                    f"most {_MAX_CLASSES:,}"
                )
    raise DataError(
        f"{path} is not a .ts file: its header must consist of lines that begin with @ and end "
        "with a line @data"
    )


def _read_channels(fields: list[str], where: str) -> Series:
    if not fields:
        raise DataError(f"{where}: a class and no values")
    channels = [parse_values(field, where) for field in fields]
    lengths = {len(channel) for channel in channels}
    if len(lengths) > 1:
        raise DataError(
            f"{where}: its channels have {min(lengths)} to {max(lengths)} values; all channels of "
            "a series must have the same number"
        )
    check_shape((len(channels), len(channels[0])), where)
    return np.stack(channels)
