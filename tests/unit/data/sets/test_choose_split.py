"""One split of a data set, or all of them."""

from pathlib import Path

import pytest
import torch

from resnext.data.array_split import ArraySplit
from resnext.data.file_split import FileSplit
from resnext.data.sets.choose_split import choose_split
from resnext.data.split import DataInfo, DataSet
from resnext.errors import DataError

_INFO = DataInfo("set", ("a", "b"), 3, 8, (0.5,), (0.5,))


def _files(root: str, *names: str) -> FileSplit:
    return FileSplit(Path(root), names, torch.arange(len(names)) % 2)


def test_files_of_all_splits_have_paths_from_their_common_folder() -> None:
    data = DataSet(_INFO, _files("/d/train", "a/1", "b/1"), _files("/d/val", "a/2"))
    together = choose_split(data, "all")
    assert isinstance(together, FileSplit)
    assert (together.root, list(together.names)) == (
        Path("/d"),
        ["train/a/1", "train/b/1", "val/a/2"],
    )
    assert together.targets_n.tolist() == [0, 1, 0]


def test_files_split_by_names_keep_their_folder() -> None:
    data = DataSet(_INFO, _files("/d", "a/1"), _files("/d", "a/2"), _files("/d/x", "a/3"))
    together = choose_split(data, "all")
    assert isinstance(together, FileSplit)
    assert list(together.names) == ["a/1", "a/2", "x/a/3"]


def test_arrays_are_put_one_behind_the_other() -> None:
    one, two = (ArraySplit(torch.full((n, 2, 2, 1), n), torch.zeros(n)) for n in (1, 2))
    together = choose_split(DataSet(_INFO, one, two), "all")
    assert isinstance(together, ArraySplit)
    assert together.images_nhwc[:, 0, 0, 0].tolist() == [1, 2, 2]


def test_a_split_that_is_not_there_is_named() -> None:
    data = DataSet(_INFO, _files("/d", "a/1"), _files("/d", "a/2"))
    assert choose_split(data, "val") is data.val
    with pytest.raises(DataError, match="set has no test split; it has train, val"):
        choose_split(data, "test")
