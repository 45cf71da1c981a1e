"""Which folders are splits, which are classes, and what is refused."""

from pathlib import Path

import pytest

from resnext.data.sets.layout import find_layout, split_of
from resnext.errors import DataError


def _make(root: Path, *folders: str) -> Path:
    for folder in folders:
        (root / folder).mkdir(parents=True)
        (root / folder / "0.jpg").touch()
    return root


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train", "train"),
        ("Train", "train"),
        ("TRAINING", "train"),
        ("training_set", "train"),
        ("train-images", "train"),
        ("imagesTr", None),
        ("valid", "val"),
        ("Validation", "val"),
        ("dev", "val"),
        ("TESTING", "test"),
        ("test_set", "test"),
        ("test2017", "test"),
        ("trainer", None),
        ("cats", None),
        ("val d'Isère", None),
        ("developer", None),
    ],
)
def test_a_split_is_known_in_any_spelling(name: str, split: str | None) -> None:
    assert split_of(name) == split


def test_splits_are_found_in_any_letter_case(tmp_path: Path) -> None:
    root = _make(tmp_path, "Train/a", "Train/b", "VALID/a", "VALID/b", "test_set/a", "labels")
    layout = find_layout(root)
    assert layout.splits == {
        "train": root / "Train",
        "val": root / "VALID",
        "test": root / "test_set",
    }


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    assert find_layout(_make(tmp_path, "bus", "car", "train")).splits == {}


def test_one_folder_of_images_a_class_is_no_other_layout(tmp_path: Path) -> None:
    assert find_layout(_make(tmp_path, "a/images", "b/images")).splits == {}


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        (("data/a", "data/b"), "give the folder whose subfolders are the classes: {root}/data$"),
        (("x/y/a", "x/y/b"), "are the classes: {root}/x/y$"),
        (("train/all/a", "train/all/b", "val/a", "val/b"), "are the classes: {root}/train/all$"),
        (("Train", "TEST"), "parts of a data set and not classes.*{root}/TEST/CLASS/"),
        (("fold1", "fold2", "fold3"), "fold1, fold2, fold3, which are parts of a data set"),
        (("a/train", "a/test", "b/train", "b/test"), r"move them up \({root}/test/a/\)"),
        (("north/a", "north/b", "south/a", "south/b"), "give one folder such as {root}/north$"),
        (("train/a", "train/b", "Training/a", "val/a"), "both look like the train split"),
    ],
)
def test_other_layouts_are_refused_with_a_remedy(
    tmp_path: Path, folders: tuple[str, ...], message: str
) -> None:
    root = _make(tmp_path, *folders)
    with pytest.raises(DataError, match=message.format(root=root)):
        find_layout(root)
