from __future__ import annotations

import errno
import os
from collections import Counter
from pathlib import Path

import pytest

from resnext.data.file_split import FileSplit
from resnext.data.sets.auto_split import name_hash
from resnext.data.sets.folders import list_classes, load_folder, load_imagenet
from resnext.errors import DataError


def touch(root: Path, *names: str) -> Path:
    """Make empty files: listing never opens them."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def files(split: object) -> tuple[str, ...]:
    assert isinstance(split, FileSplit)
    return tuple(split.names)


def many(*classes: str, num: int = 60) -> list[str]:
    return [f"{label}/{number}.jpg" for label in classes for number in range(num)]


@pytest.mark.parametrize("val", ["val", "valid", "Validation", "dev"])
def test_a_folder_with_its_own_split_keeps_it(tmp_path: Path, val: str) -> None:
    touch(tmp_path, "train/cat/1.jpg", "train/dog/2.PNG", f"{val}/cat/3.jpeg", f"{val}/dog/4.webp")
    data = load_folder(tmp_path, 0.1)
    assert data.info.classes == ("cat", "dog")
    assert files(data.train) == ("cat/1.jpg", "dog/2.PNG")
    assert files(data.val) == ("cat/3.jpeg", "dog/4.webp")
    assert data.train.targets_n.tolist() == data.val.targets_n.tolist() == [0, 1]


def test_a_set_with_train_and_test_keeps_its_training_split_when_all_is_asked_for(
    tmp_path: Path,
) -> None:
    touch(tmp_path, *(f"train/{name}" for name in many("a", "b")), "test/b/2.jpg")
    assert files(load_folder(tmp_path, 1.0).val) == files(load_folder(tmp_path, 0.1).val)


def test_test_images_are_neither_trained_nor_validated_on(tmp_path: Path) -> None:
    touch(tmp_path, *(f"Train/{name}" for name in many("a", "b")), "TEST/b/2.jpg")
    data = load_folder(tmp_path, 0.1)
    assert (len(data.train), len(data.val)) == (108, 12)
    assert data.test is not None
    assert data.test.targets_n.tolist() == [1]
    assert isinstance(data.test, FileSplit)
    assert data.test.root == tmp_path / "TEST"
    touch(tmp_path, "val/a/3.jpg", "val/b/3.jpg")
    assert files(load_folder(tmp_path, 0.1).val) == ("a/3.jpg", "b/3.jpg")


def test_test_images_without_folders_are_left_alone(tmp_path: Path) -> None:
    touch(tmp_path, *(f"train/{name}" for name in many("a", "b")), "test/1.jpg")
    assert load_folder(tmp_path, 0.1).test is None


def test_a_run_of_an_earlier_version_keeps_its_split(tmp_path: Path) -> None:
    touch(tmp_path, *many("cat", "dog"))
    new = load_folder(tmp_path, 0.2)
    old = load_folder(tmp_path, 0.2, rule="hash")
    assert set(files(old.val)) == {name for name in many("cat", "dog") if name_hash(name) < 0.2}
    assert files(new.val) != files(old.val)
    touch(tmp_path / "own", "train/a/1.jpg", "train/b/1.jpg", "test/a/2.jpg", "test/b/2.jpg")
    assert files(load_folder(tmp_path / "own", 0.2, rule="hash").val) == ("a/2.jpg", "b/2.jpg")


def test_a_folder_without_a_split_is_split_by_class_and_file_names(tmp_path: Path) -> None:
    touch(tmp_path, *many("cat", "dog", num=500))
    data = load_folder(tmp_path, 0.2)
    assert sorted(files(data.train) + files(data.val)) == sorted(many("cat", "dog", num=500))
    assert data.val.targets_n.bincount().tolist() == [100, 100]
    for split in (data.train, data.val):
        labels = [data.info.classes[label] for label in split.targets_n.tolist()]
        assert labels == [name.split("/")[0] for name in files(split)]


def test_the_hash_of_a_name_is_even_and_below_one() -> None:
    counts = Counter(int(10 * name_hash(f"class/{number}.jpg")) for number in range(10_000))
    assert set(counts) == set(range(10))
    assert max(abs(count - 1000) for count in counts.values()) < 150


def test_hidden_and_other_files_are_left_out_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    touch(
        tmp_path, *many("cat", "dog"), "cat/notes.txt", "dog/.hidden.jpg", "dog/jpg", ".git/x/1.jpg"
    )
    data = load_folder(tmp_path, 0.2)
    assert data.info.classes == ("cat", "dog")
    assert len(data.train) + len(data.val) == 120
    assert "no images: 1 .txt, 1 hidden, 1 without extension" in caplog.text


def test_images_may_lie_deeper_in_their_class_folder(tmp_path: Path) -> None:
    touch(tmp_path, "train/a/x/y/1.jpg", "train/a/2.jpg", "train/b/1.jpg")
    touch(tmp_path, "val/a/3.jpg", "val/b/3.jpg")
    assert files(load_folder(tmp_path, 0.1).train) == ("a/2.jpg", "a/x/y/1.jpg", "b/1.jpg")


def test_a_class_folder_may_be_a_link(tmp_path: Path) -> None:
    elsewhere = touch(tmp_path / "elsewhere", "1.jpg")
    touch(tmp_path / "set", "train/b/1.jpg", "val/a/1.jpg", "val/b/1.jpg")
    (tmp_path / "set/train/a").symlink_to(elsewhere)
    assert files(load_folder(tmp_path / "set", 0.1).train) == ("a/1.jpg", "b/1.jpg")


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    touch(tmp_path, *many("train", "bus"))
    assert load_folder(tmp_path, 0.2).info.classes == ("bus", "train")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["readme.txt"], "holds no class folders"),
        (["1.jpg", "2.jpg"], "holds no class folders"),
        (["cat/1.jpg", "dog/notes.txt"], "no image in dog of"),
        (["train/cat/1.jpg"], "train holds one class, cat"),
        (["cat/1.jpg", "cat/2.jpg"], "holds one class, cat"),
        (["train/cat/1.jpg", "dev/cat/1.jpg"], "train holds one class, cat"),
        (["train/a/1.jpg", "train/b/1.jpg", "train/b/2.jpg", "test/c/1.jpg"], "does not: c$"),
        (["val/cat/1.jpg"], "has val/ with class folders but no train/"),
        (["train/1.jpg", "val/cat/1.jpg"], "train holds no class folders"),
        (["train/cat/1.jpg", "val/cat/x.txt"], "no image in cat of"),
        (
            ["train/cat/1.jpg", "train/dog/1.jpg", "val/cat/1.jpg", "val/cow/1.jpg"],
            r"only in train/: dog; only in val/: cow",
        ),
    ],
)
def test_a_malformed_folder_gets_one_clear_message(
    tmp_path: Path, names: list[str], message: str
) -> None:
    touch(tmp_path, *names)
    with pytest.raises(DataError, match=message):
        load_folder(tmp_path, 0.1)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere is not a folder"):
        load_folder(tmp_path / "nowhere", 0.1)


def test_a_split_by_hash_may_leave_a_class_without_training_images(tmp_path: Path) -> None:
    lone = next(f"rare/{n}.jpg" for n in range(1000) if name_hash(f"rare/{n}.jpg") < 0.1)
    touch(tmp_path, *many("cat"), lone)
    with pytest.raises(DataError, match="no training image of rare"):
        load_folder(tmp_path, 0.1, rule="hash")
    assert load_folder(tmp_path, 0.1).train.targets_n.bincount().tolist() == [54, 1]


def test_imagenet_is_train_and_val_with_synset_folders(tmp_path: Path) -> None:
    touch(tmp_path, "train/n01440764/a_1.JPEG", "val/n01440764/ILSVRC2012_val_00000293.JPEG")
    data = load_imagenet(tmp_path)
    assert (data.info.name, data.info.classes) == ("imagenet", ("n01440764",))
    assert data.info.image_size_px == 224


def test_imagenet_5k_has_validation_images_of_some_classes_only(tmp_path: Path) -> None:
    touch(tmp_path, "train/n01/a.JPEG", "train/n02/a.JPEG", "train/n03/a.JPEG")
    touch(tmp_path, "val/n03/a.JPEG", "val/n01/a.JPEG", "val/n01/b.JPEG")
    with pytest.raises(DataError, match="hold different classes"):
        load_imagenet(tmp_path)  # a class of ImageNet-1K is missing
    touch(tmp_path, "imagenet5k.tsv")
    data = load_imagenet(tmp_path)
    assert data.info.classes == ("n01", "n02", "n03")
    assert data.val.targets_n.tolist() == [0, 0, 2]
    touch(tmp_path, "val/n04/a.JPEG")
    with pytest.raises(DataError, match="holds classes that training does not: n04"):
        load_imagenet(tmp_path)


def test_unsorted_imagenet_validation_images_get_a_clear_message(tmp_path: Path) -> None:
    touch(tmp_path, "train/n01440764/a.JPEG", "val/ILSVRC2012_val_00000293.JPEG")
    with pytest.raises(DataError, match="sorted into their classes"):
        load_imagenet(tmp_path)


def test_splits_in_two_forms_of_unicode_have_the_same_classes(tmp_path: Path) -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    touch(tmp_path, f"train/{composed}/1.jpg", "train/cafz/1.jpg", f"train/{composed}/2.jpg")
    touch(tmp_path, f"val/{decomposed}/3.jpg", "val/cafz/4.jpg")
    data = load_folder(tmp_path, 0.1)
    assert data.info.classes == ("cafz", composed)  # sorted in the usual form
    assert data.train.targets_n.tolist() == [0, 1, 1]
    assert files(data.val) == (f"{decomposed}/3.jpg", "cafz/4.jpg")
    assert data.val.targets_n.tolist() == [1, 0]


def test_one_name_in_two_forms_of_unicode_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "caf\u00e9/1.jpg", "cafe\u0301/1.jpg")
    with pytest.raises(DataError, match="in different forms of Unicode"):
        list_classes(tmp_path)


@pytest.mark.parametrize("other", ["Cat", "cat ", "c at", "\uff43at"])
def test_names_that_only_look_alike_are_told_apart(tmp_path: Path, other: str) -> None:
    touch(tmp_path, "train/cat/1.jpg", f"val/{other}/1.jpg")
    with pytest.raises(DataError, match=r"'cat' and .* differ only in case, spaces"):
        load_folder(tmp_path, 0.1)


@pytest.mark.parametrize(
    ("link", "target", "message"),
    [
        ("loop", ".", "contains the class folders"),
        ("parent", "..", "contains the class folders"),
        ("gone", "nowhere", "gone is a broken link"),
        ("itself", "itself", "itself is a broken link"),
        ("kitten", "cat", "cat and kitten lead to the same images"),
        ("inner", "cat/deep", "cat and inner lead to the same images"),
    ],
)
def test_a_link_that_changes_the_classes_is_refused(
    tmp_path: Path, link: str, target: str, message: str
) -> None:
    touch(tmp_path, "cat/1.jpg", "cat/deep/2.jpg", "dog/1.jpg")
    (tmp_path / link).symlink_to(target)
    with pytest.raises(DataError, match=message):
        list_classes(tmp_path)


def test_a_folder_of_links_to_class_folders_is_a_data_set(tmp_path: Path) -> None:
    touch(tmp_path, "all/cat/1.jpg", "all/cat2/1.jpg", "all/dog/1.jpg")
    (tmp_path / "some").mkdir()
    for name in ("cat", "cat2"):
        (tmp_path / "some" / name).symlink_to(tmp_path / "all" / name)
    assert list_classes(tmp_path / "some")[0] == ("cat", "cat2")


def test_hidden_folders_are_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    touch(tmp_path, "cat/1.jpg", ".dog/1.jpg")
    assert list_classes(tmp_path)[0] == ("cat",)
    assert "left out hidden folders: .dog" in caplog.text


def test_what_is_no_file_is_no_image(tmp_path: Path) -> None:
    touch(tmp_path, "cat/1.jpg")
    os.mkfifo(tmp_path / "cat" / "2.jpg")
    (tmp_path / "cat" / "3.jpg").symlink_to("nowhere")
    assert files(list_classes(tmp_path)[1]) == ("cat/1.jpg",)


def test_what_cannot_be_read_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, "cat/1.jpg", "dog/1.jpg")
    scan = os.scandir

    def refuse(path: Path) -> object:
        if path.name == "dog":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DataError, match=r"dog: Permission denied; make it readable"):
        list_classes(tmp_path)


def test_a_lone_test_folder_is_evaluated_in_any_spelling(tmp_path: Path) -> None:
    touch(tmp_path, "TEST_set/a/1.jpg", "TEST_set/b/1.jpg")
    assert files(load_folder(tmp_path, 1.0).val) == ("a/1.jpg", "b/1.jpg")


def test_classes_with_one_image_each_are_not_told_to_change_a_share(tmp_path: Path) -> None:
    touch(tmp_path, "a/0.png", "b/0.png")
    with pytest.raises(DataError, match=r"no class has two images.*add images$") as caught:
        load_folder(tmp_path, 0.1)
    assert "val_fraction" not in str(caught.value)
    with pytest.raises(DataError, match=r"change data.val_fraction=0.1 or make"):
        load_folder(tmp_path, 0.1, group="0")


@pytest.mark.parametrize(
    ("names", "remark"),
    [
        (("Hat", "hat", "pants"), "'Hat' and 'hat'"),
        (("m2", "m\u00b2", "x"), "'m2' and 'm\u00b2'"),
        (("new york", "newyork"), "'new york' and 'newyork'"),
        (("cat", "cats"), None),
    ],
)
def test_class_folders_that_hardly_differ_are_named(
    tmp_path: Path, names: tuple[str, ...], remark: str | None
) -> None:
    touch(tmp_path, *(f"{name}/{number}.png" for name in names for number in range(2)))
    found = load_folder(tmp_path, 0.1).remarks
    assert len(found) == (remark is not None)
    assert all(f"differ only in case, spaces or Unicode form: {remark};" in one for one in found)
