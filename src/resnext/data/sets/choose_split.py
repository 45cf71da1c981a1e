"""One of a data set's splits by its name, or all of them as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from resnext.errors import DataError

if TYPE_CHECKING:
    from resnext.data.split import DataSet, Split

SplitChoice = Literal["val", "test", "train", "all"]
SPLITS: tuple[SplitChoice, ...] = get_args(SplitChoice)


def choose_split(data: DataSet, name: SplitChoice) -> Split:
    """Return a split.

    Args:
        data: The data set.
        name: Which; `all` puts them one behind the other.

    Raises:
        DataError: The set has no such split.
        ConfigError: Splits of a packed set cannot be put together.
    """
    if name == "all":
        first, *others = (split for split in splits_of(data).values() if len(split))
        return first.join(others) if others else first
    split = splits_of(data).get(name)
    if split is None:
        raise DataError(
            f"{data.info.name} has no {name} split; it has {', '.join(splits_of(data))}"
        )
    return split


def splits_of(data: DataSet) -> dict[str, Split]:
    """Return the splits that a data set has, by name."""
    splits: dict[str, Split | None] = {"train": data.train, "val": data.val, "test": data.test}
    return {name: split for name, split in splits.items() if split is not None}
