"""Identifies the image, label and split columns of a table."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from resnext.errors import DataError
from resnext.untrusted.names import list_names, shown

_NUM_SHOWN = 20
# In order of preference; compared in lower case without separators.
_IMAGE = (
    *("image", "img", "path", "file", "filename", "filepath", "imagepath", "imgpath"),
    *("imagefile", "imagename", "imgname", "imageid", "imgid", "photo", "picture"),
    *("audio", "audiofile", "audiopath", "wav", "clip", "recording", "name", "id"),
)
_LABEL = (
    *("label", "labels", "class", "classname", "category", "target", "labelname", "classid"),
    *("labelid", "categoryname", "species", "breed", "diagnosis", "tag", "finelabel", "y"),
)
_MIN_FLAGS = 2
_SPLIT = ("split", "subset", "partition", "set", "usage", "phase")


@dataclass(frozen=True)
class Columns:
    """Names of columns.

    Attributes:
        image: Column with a path, or the bytes of an image file.
        labels: Target columns: one column, or one for each label or number.
        split: Column with train, val or test; None if there is no such column.
    """

    image: str
    labels: tuple[str, ...]
    split: str | None = None


def as_names(column: str | tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of one or several columns."""
    return (column,) if isinstance(column, str) else column


@dataclass(frozen=True)
class GivenColumns:
    """Columns given by the user; None for those to detect."""

    image: str | None = None
    labels: tuple[str, ...] | None = None
    split: str | None = None


UNNAMED = GivenColumns()

FlagFault = Callable[[str], str | None]
"""Returns why a column does not hold a label: empty if it does, None if it holds something else."""


def _no_flags(_: str) -> None:
    return None


def find_columns(
    names: Sequence[str],
    given: GivenColumns = UNNAMED,
    flag_fault: FlagFault = _no_flags,
) -> Columns:
    """Find the columns by common names.

    If no column has a common label name, all columns with only 1, 0 and empty cells are labels, if
    there are at least two.

    Args:
        names: The table's columns.
        given: The given columns.
        flag_fault: Returns why a column does not hold a label, such as a cell that is not 1, 0 or
            empty.

    Raises:
        DataError: A given column does not exist, or none has a common name; the message lists the
            columns and how to give one. Or a column of labels has a wrong cell.
    """
    found_image = find_column(names, "image", given.image, _IMAGE)
    labels, split = find_targets(names, found_image, given, flag_fault)
    return Columns(found_image, labels, split)


def find_targets(
    names: Sequence[str], content: str, given: GivenColumns, flag_fault: FlagFault
) -> tuple[tuple[str, ...], str | None]:
    """Return the columns of targets, and that of splits if there is one.

    Args:
        names: The table's columns.
        content: The column of what the targets are for.
        given: The given columns.
        flag_fault: See `find_columns`.

    Raises:
        DataError: As `find_columns`.
    """
    rest = [name for name in names if name != content]
    by_name = {_plain(name): name for name in reversed(rest) if name not in (given.labels or ())}
    split = next((by_name[name] for name in _SPLIT if name in by_name), None)
    if given.split is not None:
        split = find_column(names, "split", given.split, ())
    rest = [name for name in rest if name != split]
    return _find_labels(rest, given.labels, flag_fault), split


def _find_labels(
    names: Sequence[str], given: tuple[str, ...] | None, flag_fault: FlagFault
) -> tuple[str, ...]:
    if given is not None:
        return tuple(find_column(names, "label", name, ()) for name in given)
    if not has_label_column(names):
        faults = {name: fault for name in names if (fault := flag_fault(name)) is not None}
        if len(faults) >= _MIN_FLAGS:
            if bad := next((name for name, fault in faults.items() if fault), None):
                raise DataError(
                    f"the column {shown(bad)} looks like a label, but {faults[bad]}; correct it, "
                    "or name the columns of labels, and rows with such cells are left out: --set "
                    f"'data.label_column=[{list_names(list(faults), _NUM_SHOWN)}]'"
                )
            return tuple(faults)
    return (find_column(names, "label", None, _LABEL),)


def has_label_column(names: Sequence[str]) -> bool:
    """Return whether a column has a common name for the label."""
    return any(_plain(name) in _LABEL for name in names)


def find_column(names: Sequence[str], what: str, given: str | None, usual: Sequence[str]) -> str:
    """Return the given column, or the first one with a usual name.

    Args:
        names: The table's columns.
        what: What the column holds, as in the setting `data.{what}_column`.
        given: The given column.
        usual: Names in order of preference, in lower case without separators.

    Raises:
        DataError: There is no such column.
    """
    if given is not None:
        if given in names:
            return given
        raise DataError(
            f"data.{what}_column={shown(given)}: the table has no such column; it has "
            f"{list_names(names, _NUM_SHOWN, shown)}"
        )
    by_name = {_plain(name): name for name in reversed(names)}
    for name in usual:
        if name in by_name:
            return by_name[name]
    signals = "; for texts give text:FILE, for series series:FILE" if what == "image" else ""
    raise DataError(
        f"no column has a common name for the {what}; give it with --set "
        f"data.{what}_column=NAME; the columns are {list_names(names, _NUM_SHOWN, shown)}{signals}"
    )


def _plain(name: str) -> str:
    return re.sub(r"[\s_.-]+", "", name.casefold())
