"""Which folders are splits, which are classes, and what is refused."""

import os
from pathlib import Path

import pytest

from resnext.data.sets.layout import find_layout, split_of
from resnext.data.sets.listing import IMAGES, FileKind
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
    layout = find_layout(_make(tmp_path, "bus", "car", "train"), IMAGES)
    assert layout.splits == {}
    (remark,) = layout.remarks
    assert remark.startswith("read as classes, although the names are those of splits: train/;")


@pytest.mark.parametrize("name", ["train", "Testing", "dev", "val_set"])
def test_a_class_that_looks_like_the_only_split_hides_no_other_class(
    tmp_path: Path, name: str
) -> None:
    root = _make(tmp_path, "bus", "car/red/old", f"{name}/steam", f"{name}/electric")
    message = (
        rf"{name}/ contains folders.* but bus/, car/ beside it also hold images.*{root}/{name}"
    )
    with pytest.raises(DataError, match=message):
        find_layout(root, IMAGES)


def test_folders_beside_the_splits_are_named_if_they_hold_files(tmp_path: Path) -> None:
    folders = ("train/a", "train/b", "val/a", "val/b", "extra/a", "unlabeled", ".hidden")
    root = _make(tmp_path, *folders)
    for other in ("labels", "empty/inside"):
        (root / other).mkdir(parents=True)
    (root / "labels/0.txt").touch()
    (remark,) = find_layout(root, IMAGES).remarks
    assert remark.startswith("left out extra/, unlabeled/ beside train/, val/: the images there")


def test_one_split_may_have_other_folders_without_images(tmp_path: Path) -> None:
    root = _make(tmp_path, "train/a", "train/b")
    (root / "labels").mkdir()
    (root / "labels/0.txt").touch()
    assert find_layout(root, IMAGES).remarks == ()


def test_flat_test_images_are_left_out_with_a_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    layout = find_layout(_make(tmp_path, "train/a", "train/b", "test"), IMAGES)
    assert (list(layout.splits), layout.remarks) == (["train"], ())
    assert caplog.messages == [f"{tmp_path}: left out test/: the images are not in class folders"]


@pytest.mark.parametrize("folders", [("a", "b"), ("train/a", "train/b", "val/a", "val/b")])
def test_files_beside_class_folders_are_named(tmp_path: Path, folders: tuple[str, ...]) -> None:
    root = _make(tmp_path, *folders)
    place = (root / folders[-1]).parent
    (place / "photo.png").touch()
    (place / "notes.txt").touch()
    (remark,) = find_layout(root, IMAGES).remarks
    assert remark.startswith(f"left out images beside the class folders, such as {place}/photo.png")


def test_signals_beside_the_splits_are_named(tmp_path: Path) -> None:
    root = _make(tmp_path, "train/a", "train/b", "test/a", "test/b", "extra")
    (root / "extra/0.jpg").rename(root / "extra/0.mp4")
    (remark,) = find_layout(root).remarks
    assert remark.startswith("left out extra/ beside test/, train/")


def test_a_large_folder_is_only_glanced_at(tmp_path: Path) -> None:
    root = _make(tmp_path, "train/a", "train/b", "val/a", "val/b")
    (root / "annotations").mkdir()
    for number in range(1_500):
        (root / f"annotations/{number}.txt").touch()
    looked_at: list[str] = []

    def accepts(entry: os.DirEntry[str]) -> bool:
        looked_at.append(entry.name)
        return False

    find_layout(root, FileKind("image", (".jpg",), accepts))
    assert looked_at.count("0.jpg") <= 4
    assert len(looked_at) < 1_100


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
