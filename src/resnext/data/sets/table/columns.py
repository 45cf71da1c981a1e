"""Which column of a table is the image, the label and the split."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from resnext.errors import DataError
from resnext.untrusted.names import list_names, shown

_NUM_SHOWN = 20
# In order of preference; compared in lower case without separators.
_IMAGE = (
    *("image", "img", "path", "file", "filename", "filepath", "imagepath", "imgpath"),
    *("imagefile", "imagename", "imgname", "imageid", "imgid", "photo", "picture", "name", "id"),
)
_LABEL = (
    *("label", "labels", "class", "classname", "category", "target", "labelname", "classid"),
    *("labelid", "categoryname", "species", "breed", "diagnosis", "tag", "finelabel", "y"),
)
_SPLIT = ("split", "subset", "partition", "set", "usage", "phase")


@dataclass(frozen=True)
class Columns:
    """Names of columns.

    Attributes:
        image: Holds a path, or the bytes of an image file.
        label: Holds the class.
        split: Holds train, val or test; None where there is no such column.
    """

    image: str
    label: str
    split: str | None = None


@dataclass(frozen=True)
class GivenColumns:
    """Columns that a person named; None for those to be found."""

    image: str | None = None
    label: str | None = None
    split: str | None = None


UNNAMED = GivenColumns()


def find_columns(names: Sequence[str], given: GivenColumns = UNNAMED) -> Columns:
    """Find the columns by the names that such tables usually have.

    Args:
        names: The table's columns.
        given: Those that were named.

    Raises:
        DataError: A named column does not exist, or none has a usual name; the message lists
            the columns and says how to name one.
    """
    found_image = _find(names, "image", given.image, _IMAGE)
    rest = [name for name in names if name != found_image]
    found_label = _find(rest, "label", given.label, _LABEL)
    if given.split is not None:
        return Columns(found_image, found_label, _find(names, "split", given.split, ()))
    by_name = {_plain(name): name for name in reversed(rest) if name != found_label}
    found_split = next((by_name[name] for name in _SPLIT if name in by_name), None)
    return Columns(found_image, found_label, found_split)


def _find(names: Sequence[str], what: str, given: str | None, usual: Sequence[str]) -> str:
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
    raise DataError(
        f"no column is called like the {what}; name it with --set data.{what}_column=NAME; the "
        f"columns are {list_names(names, _NUM_SHOWN, shown)}"
    )


def _plain(name: str) -> str:
    return re.sub(r"[\s_.-]+", "", name.casefold())
