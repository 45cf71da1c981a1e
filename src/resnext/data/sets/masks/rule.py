"""Maps values of masks to classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from resnext.data.mask_rule import UNKNOWN_VALUE, MaskRule
from resnext.data.sets.masks.class_list import FILES, ClassList
from resnext.errors import DataError

DEFAULT_IGNORED = 255
_BINARY = (0, 255)
_MAX_UNNAMED = 200


def find_rule(
    root: Path,
    found: frozenset[int],
    class_list: ClassList | None,
    ignore_value: int | None,
) -> MaskRule:
    """Return the meaning of the values.

    Without a list, masks with only 0 and 255 have the classes background and foreground; otherwise
    each value is a class, except 255.

    Args:
        root: The folder, for messages.
        found: The values that occur in any mask.
        class_list: The listed classes, if any.
        ignore_value: The value of pixels without a class, if given.

    Raises:
        DataError: There are fewer than two classes, or values like grey levels.
    """
    is_binary = found == frozenset(_BINARY) and ignore_value is None
    ignored = DEFAULT_IGNORED if ignore_value is None else ignore_value
    if class_list is not None:
        rule = _listed(class_list, ignored, ignore_value, is_binary=is_binary)
    elif is_binary:
        rule = MaskRule(("background", "foreground"), _BINARY, None)
    else:
        values = tuple(sorted(found - {ignored}))
        if len(values) > _MAX_UNNAMED:
            raise DataError(
                f"the masks of {root} contain {len(values)} different values, like grey levels; "
                f"use one value per class, or list the classes in {root / FILES[0]}"
            )
        rule = MaskRule(tuple(map(str, values)), values, ignored)
    if len(rule.classes) < 2:
        raise DataError(
            f"the masks of {root} contain only one class, "
            f"{', '.join(rule.classes) or 'or none'}, so there is nothing to distinguish; give "
            "masks with at least two"
        )
    return rule


def _listed(
    class_list: ClassList, ignored: int, ignore_value: int | None, *, is_binary: bool
) -> MaskRule:
    values, names = class_list.values, class_list.names
    if values is None:
        values = _BINARY if is_binary and len(names) == 2 else tuple(range(len(names)))
    pairs = list(zip(names, values, strict=True))
    if ignore_value is not None:  # the list may name it, as `void`
        pairs = [(name, value) for name, value in pairs if value != ignore_value]
    kept = tuple(value for _, value in pairs)
    return MaskRule(tuple(name for name, _ in pairs), kept, None if ignored in kept else ignored)


def check_values(
    rule: MaskRule,
    class_list: ClassList | None,
    masks: list[Path],
    counts_nv: npt.NDArray[np.int64],
) -> None:
    """Check that all values of masks are classes.

    Raises:
        DataError: There is one; the message names the file.
    """
    is_unknown_v = rule.table == UNKNOWN_VALUE
    unknown_nv = (counts_nv > 0) & is_unknown_v
    if not unknown_nv.any():
        return
    number = int(unknown_nv.any(axis=1).argmax())
    value = int(unknown_nv[number].argmax())
    source = f" of {class_list.path.name}" if class_list is not None else ""
    listed = ", ".join(map(str, rule.values[:12])) + (", ..." if len(rule.values) > 12 else "")
    num_files = int(unknown_nv.any(axis=1).sum())
    raise DataError(
        f"{masks[number]} has the value {value}, which is not one of the {len(rule.classes)} "
        f"classes{source} (values {listed}); {num_files} file(s) have such values. Correct the "
        "masks, list the class, or mark these pixels as having no class: --set "
        f"data.ignore_value={value}"
    )
