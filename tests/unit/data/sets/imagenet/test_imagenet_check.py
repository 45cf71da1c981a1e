"""The check names every departure from the official layout, and nothing else."""

import os
from pathlib import Path

import pytest
from imagenet_trees import LAYOUT, TRAIN_COUNTS, VAL_SYNSETS, val_name, write_tree

from resnext.data.sets.imagenet.check import Findings, check
from resnext.data.sets.imagenet.layout import imagenet_1k
from resnext.errors import DataError


def kinds(findings: Findings) -> set[tuple[str, str, str]]:
    return {(problem.split, problem.kind, problem.name) for problem in findings.problems}


def test_the_official_layout_is_1000_sorted_synsets_with_the_published_counts() -> None:
    layout = imagenet_1k()
    assert len(set(layout.synsets)) == 1000
    assert list(layout.synsets) == sorted(layout.synsets)
    assert (layout.num_train, layout.num_val * len(layout.synsets)) == (1_281_167, 50_000)
    mean = layout.num_train / 1000
    assert layout.least_train < mean < layout.most_train


def test_a_complete_set_has_no_problem(tmp_path: Path) -> None:
    findings = check(write_tree(tmp_path), LAYOUT, TRAIN_COUNTS)
    assert findings == Findings({"train": 12, "val": 8}, {"train": 4, "val": 4}, ())


def test_progress_tells_every_image(tmp_path: Path) -> None:
    told: list[int] = []
    check(write_tree(tmp_path), LAYOUT, progress=told.append)
    assert sum(told) == 20


def test_missing_and_extra_classes_are_named(tmp_path: Path) -> None:
    write_tree(tmp_path)
    (tmp_path / "val" / "n01440764").rename(tmp_path / "val" / "n99999999")
    findings = check(tmp_path, LAYOUT)
    assert kinds(findings) == {
        ("val", "missing class", "n01440764"),
        ("val", "extra class", "n99999999"),
    }


def test_a_missing_split_is_one_problem(tmp_path: Path) -> None:
    write_tree(tmp_path)
    (tmp_path / "val").rename(tmp_path / "validation")
    assert kinds(check(tmp_path, LAYOUT)) == {("val", "missing folder", "val")}


def test_only_exact_counts_name_the_class_that_lost_an_image(tmp_path: Path) -> None:
    write_tree(tmp_path)
    (tmp_path / "train" / "n02119789" / "n02119789_2.JPEG").unlink()
    assert kinds(check(tmp_path, LAYOUT)) == {("train", "wrong total", "train")}
    findings = check(tmp_path, LAYOUT, TRAIN_COUNTS)
    assert kinds(findings) == {
        ("train", "wrong total", "train"),
        ("train", "wrong count", "n02119789"),
    }
    (wrong,) = [problem for problem in findings.problems if problem.kind == "wrong count"]
    assert wrong.detail == "3 good images instead of 4"


def test_a_count_outside_the_official_range_is_wrong_without_a_kit(tmp_path: Path) -> None:
    write_tree(tmp_path)
    (tmp_path / "train" / "n02100735" / "n02100735_1.JPEG").unlink()
    findings = check(tmp_path, LAYOUT)
    (wrong,) = [problem for problem in findings.problems if problem.kind == "wrong count"]
    assert (wrong.name, wrong.detail) == ("n02100735", "1 good images instead of 2 to 4")


def test_empty_files_and_dead_links_are_no_images(tmp_path: Path) -> None:
    write_tree(tmp_path)
    home = tmp_path / "val" / VAL_SYNSETS[0]
    (home / val_name(1)).write_bytes(b"")
    (home / val_name(6)).unlink()
    (home / val_name(6)).symlink_to(tmp_path / "nowhere.JPEG")
    findings = check(tmp_path, LAYOUT)
    assert {(problem.kind, problem.detail) for problem in findings.problems} == {
        ("empty files", f"1: {val_name(1)}"),
        ("unreadable files", f"1: {val_name(6)}"),
        ("wrong count", "0 good images instead of 2"),
    }


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    write_tree(tmp_path)
    (tmp_path / "val" / VAL_SYNSETS[0] / val_name(1)).chmod(0)
    assert ("val", "unreadable files", VAL_SYNSETS[0]) in kinds(check(tmp_path, LAYOUT))


def test_flat_validation_images_are_counted(tmp_path: Path) -> None:
    write_tree(tmp_path)
    for number, synset in enumerate(VAL_SYNSETS, start=1):
        (tmp_path / "val" / synset / val_name(number)).rename(tmp_path / "val" / val_name(number))
    findings = check(tmp_path, LAYOUT)
    (flat,) = [problem for problem in findings.problems if problem.kind == "flat images"]
    assert flat.detail.startswith("8 images are directly in val/")
    assert ("val", "wrong count", "n01440764") in kinds(findings)


def test_what_is_no_image_is_told_and_of_many_only_a_few_are_named(tmp_path: Path) -> None:
    write_tree(tmp_path)
    folder = tmp_path / "train" / "n01440764"
    (folder / "deeper.JPEG").mkdir()
    (folder / ".hidden.JPEG").touch()
    for number in range(20):
        (folder / f"notes{number}.txt").touch()
    (problem,) = check(tmp_path, LAYOUT, TRAIN_COUNTS).problems
    assert problem.kind == "other entries"
    assert problem.detail.startswith("22: ")
    assert problem.detail.endswith(" and 17 more")


def test_hidden_folders_of_an_unfinished_unpacking_are_no_classes(tmp_path: Path) -> None:
    write_tree(tmp_path)
    (tmp_path / "train" / ".n99999999.partial").mkdir()
    assert not check(tmp_path, LAYOUT, TRAIN_COUNTS).problems


def test_links_to_class_folders_count_as_classes(tmp_path: Path) -> None:
    write_tree(tmp_path / "set")
    for split in ("train", "val"):
        (tmp_path / "linked" / split).mkdir(parents=True)
        for synset in LAYOUT.synsets:
            place = tmp_path / "linked" / split / synset
            place.symlink_to(tmp_path / "set" / split / synset)
    assert not check(tmp_path / "linked", LAYOUT, TRAIN_COUNTS).problems


def test_a_folder_that_is_none_is_a_message(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not a folder"):
        check(tmp_path / "nowhere", LAYOUT)


def test_findings_of_one_split_leave_the_other_out(tmp_path: Path) -> None:
    write_tree(tmp_path)
    (tmp_path / "train").rename(tmp_path / "later")
    findings = check(tmp_path, LAYOUT)
    assert findings.problems
    assert findings.only(["val"]) == Findings({"val": 8}, {"val": 4}, ())
