"""A run can only be resumed on the data it was started with."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from resnext.data.array_split import ArraySplit
from resnext.data.split import DataInfo, DataSet
from resnext.errors import DataError, RunError
from resnext.runs.data import check_data, write_data


def _data(**images: int) -> DataSet:
    labels = [torch.full((num,), label) for label, num in enumerate(images.values())]
    targets_n = torch.cat(labels)
    split = ArraySplit(torch.zeros(len(targets_n), 2, 2, 1, dtype=torch.uint8), targets_n)
    info = DataInfo("pets", tuple(images), 1, 2, (0.0,), (1.0,))
    return DataSet(info, split, split)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    write_data(tmp_path, _data(cat=3, dog=2))
    return tmp_path


def test_the_same_data_are_let_pass_also_without_images_of_a_class(tmp_path: Path) -> None:
    write_data(tmp_path, _data(cat=3, dog=0))
    check_data(tmp_path, _data(cat=3, dog=0))


def test_a_run_that_does_not_say_its_data_goes_on(tmp_path: Path) -> None:
    check_data(tmp_path, _data(cat=1))


@pytest.mark.parametrize(
    ("images", "difference"),
    [
        ({"cat": 3, "dog": 2, "ox": 4}, "now has 9 training images of 3 classes: new: 'ox'"),
        ({"dog": 2}, "gone: 'cat'"),
        ({"cat": 3, "hound": 2}, "new: 'hound'; gone: 'dog'"),
        ({"cat": 3, "dog": 3}, "different numbers in 'dog'"),
        ({"dog": 2, "cat": 3}, "the order of the classes changed"),
    ],
)
def test_other_data_are_refused_with_what_changed(
    run: Path, images: dict[str, int], difference: str
) -> None:
    with pytest.raises(DataError, match=difference) as caught:
        check_data(run, _data(**images))
    assert "started with 5 training images of 2 classes" in str(caught.value)
    assert f"resnext train --config {run}" in str(caught.value)


def test_of_many_changed_classes_some_are_named(run: Path) -> None:
    many = {f"c{number}": 1 for number in range(7)}
    with pytest.raises(DataError, match="'c4' and 2 more; gone: 'cat', 'dog'"):
        check_data(run, _data(**many))


def test_other_validation_images_do_not_matter(run: Path) -> None:
    data = _data(cat=3, dog=2)
    check_data(run, replace(data, val=_data(cat=1, dog=1).val))


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_damaged_file_is_named(run: Path, text: str) -> None:
    (run / "classes.json").write_text(text, encoding="utf-8")
    with pytest.raises(RunError, match=r"classes\.json"):
        check_data(run, _data(cat=3, dog=2))
