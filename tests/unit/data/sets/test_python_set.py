"""A dataset of a program becomes splits; what cannot be exact is refused."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from python_sets import CLASSES, Pictures, digit_pictures
from torch.utils.data import (
    ConcatDataset,
    DataLoader,
    IterableDataset,
    Subset,
    TensorDataset,
    WeightedRandomSampler,
)

from resnext.data.python_split import PythonSplit, label_of
from resnext.data.sets.photo_info import MEAN
from resnext.data.sets.python_set import labels_of, open_python_data, python_data, python_images
from resnext.errors import ConfigError, DataError

IMAGES = torch.arange(12 * 9 * 6, dtype=torch.uint8).reshape(12, 1, 9, 6) % 200
LABELS = torch.tensor([0, 1, 2] * 4)
PAIRS = TensorDataset(IMAGES, LABELS)


class Listed(Pictures):
    """A dataset as torchvision's: it lists its labels, and names its classes."""

    classes = CLASSES

    def __init__(self, *given: torch.Tensor) -> None:
        super().__init__(*given)
        self.targets = self.labels_n.tolist()


def test_the_splits_hold_each_item_once_and_know_their_labels() -> None:
    data = python_data(PAIRS, None, None, 0.25)
    assert (len(data.train), len(data.val)) == (9, 3)
    assert sorted(data.val.targets_n.tolist()) == [0, 1, 2]  # a quarter of each class
    names = [split.name(index) for split in (data.train, data.val) for index in range(len(split))]
    assert sorted(names) == sorted(f"item {row}" for row in range(12))
    assert data.info.classes == ("0", "1", "2")
    assert (data.info.in_channels, data.info.image_size_px) == (1, 6)
    assert data.info.mean == (round(sum(MEAN) / 3, 4),)
    for split in (data.train, data.val):
        reader = split.reader(1)
        for index in range(len(split)):
            row = int(split.name(index).removeprefix("item "))
            assert np.array_equal(np.asarray(reader.open(index)), IMAGES[row, 0].numpy())
            assert split.targets_n[index] == LABELS[row]


def test_the_split_is_the_same_each_time_and_two_datasets_are_two_splits() -> None:
    first, again = (python_data(PAIRS, None, None, 0.25).val for _ in range(2))
    assert isinstance(first, PythonSplit)
    assert isinstance(again, PythonSplit)
    assert torch.equal(first.rows_n, again.rows_n)
    data = python_data(PAIRS, Subset(PAIRS, [0, 4, 8]), ["a", "b", "c"], 0.25)
    assert (len(data.train), len(data.val), data.info.classes) == (12, 3, ("a", "b", "c"))


def test_labels_are_listed_without_reading_images_where_torch_lists_them() -> None:
    digits = digit_pictures(num=6)
    listed = Listed(digits.images_nhw, digits.labels_n)
    last = Subset(listed, [5])
    datasets: tuple[Any, ...] = (listed, Subset(listed, [3, 1]), ConcatDataset([listed, last]))
    for dataset in datasets:
        expected = [dataset[index][1] for index in range(len(dataset))]
        listed.num_read = 0
        assert labels_of(dataset).tolist() == expected
        assert listed.num_read == 0
    assert labels_of(digits).tolist() == digits.labels_n.tolist()
    assert digits.num_read == 6
    assert python_images(listed, None, ("x",)).info.classes == CLASSES


def test_a_label_that_turns_out_to_be_another_is_an_error() -> None:
    digits = digit_pictures(num=30)
    listed = Listed(digits.images_nhw, digits.labels_n)
    listed.targets = [0] * 30
    split = python_images(listed, None, CLASSES).val
    with pytest.raises(ConfigError, match="item 1 of the dataset came with the label 0 before"):
        split.reader(1).open(1)


def test_rows_of_labels_are_several_labels() -> None:
    items = [
        (np.zeros((4, 4), np.uint8), [1, 0, 0]),
        (np.zeros((4, 4), np.uint8), [0.0, 1.0, -1.0]),
    ]
    data = python_images(items, ["red", "round", "ripe"], ())
    assert data.info.targets == "labels"
    assert data.val.targets_n.dtype == torch.int8
    assert data.val.targets_n.tolist() == [[1, 0, 0], [0, 1, -1]]


@pytest.mark.parametrize("label", ["cat", 1.5, None, [0.5, 1], [[1]], True, []])
def test_other_labels_are_refused(label: object) -> None:
    with pytest.raises(ConfigError, match="item 7 of the dataset has the label"):
        label_of(label, 7)


@pytest.mark.parametrize("label", [3, np.int64(3), np.uint8(3), torch.tensor(3)])
def test_whole_numbers_are_classes(label: object) -> None:
    assert label_of(label, 0) == torch.tensor(3)
    assert label_of(label, 0).dtype == torch.int64


GREY = np.zeros((4, 4), np.uint8)


@pytest.mark.parametrize(
    ("items", "classes", "message"),
    [
        ([GREY, GREY], None, "item 0 of the dataset is a ndarray: give a dataset whose items are"),
        ([(GREY, 0, 1)], None, "item 0 of the dataset is a tuple"),
        ([(GREY, 0), (GREY, 2)], ["a", "b"], "the labels go from 0 to 2, and there are 2 classes"),
        ([(GREY, -1), (GREY, 1)], None, "the labels go from -1 to 1"),
        ([(GREY, 0), (GREY, 1)], ["a", "a"], "name each class once"),
        ([(GREY, 0), (GREY, [1, 0])], None, "labels of several forms"),
        ([(GREY, [1, 0])], ["a"], "each item has 2 labels, and there are 1 classes"),
    ],
)
def test_what_does_not_fit_together_is_refused(items: Any, classes: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        python_data(items, None, classes, 0.5)


def test_too_few_items_are_refused() -> None:
    with pytest.raises(DataError, match="the dataset has no items"):
        python_data([], None, None, 0.5)
    with pytest.raises(DataError, match="one class, '0', so there is nothing to tell apart"):
        python_data([(GREY, 0)] * 4, None, None, 0.5)
    with pytest.raises(DataError, match="too few to keep some for validation; give val="):
        python_data([(GREY, 0), (GREY, 1)], None, None, 0.5)


def test_a_plain_loader_stands_for_its_dataset() -> None:
    for loader in (
        DataLoader(PAIRS, batch_size=4, shuffle=True, num_workers=2),
        DataLoader(PAIRS, batch_size=4, num_workers=2, drop_last=True),
    ):
        opened = open_python_data(loader)
        assert (opened.dataset, opened.batch_size, opened.workers) == (PAIRS, 4, 2)


class Stream(IterableDataset[int]):
    def __iter__(self) -> Iterator[int]:
        yield 0


@pytest.mark.parametrize(
    ("loader", "reason"),
    [
        (DataLoader(PAIRS, sampler=WeightedRandomSampler([1.0] * 12, 12)), "a sampler of its own"),
        (DataLoader(PAIRS, batch_sampler=[[0, 1]]), "a sampler of its own"),
        (DataLoader(PAIRS, collate_fn=lambda items: items), "a collate_fn of its own"),
        (DataLoader(PAIRS, batch_size=None), "it makes no batches"),
        (DataLoader(Stream()), "it streams"),
    ],
)
def test_a_loader_that_draws_or_joins_in_its_own_way_is_refused(
    loader: DataLoader[Any], reason: str
) -> None:
    with pytest.raises(ConfigError, match=rf"{reason}.*Pass its dataset"):
        open_python_data(loader)


@pytest.mark.parametrize("given", [Stream(), iter([]), 17, {1, 2}])
def test_what_has_no_items_by_number_is_refused(given: object) -> None:
    with pytest.raises(ConfigError, match="give a path, the name of a set, a map-style dataset"):
        open_python_data(given)


def test_splits_are_joined_with_their_items() -> None:
    data = python_data(PAIRS, Subset(PAIRS, [0, 4, 8]), None, 0.25)
    assert isinstance(data.train, PythonSplit)
    assert isinstance(data.val, PythonSplit)
    joined = data.train.join([data.val])
    assert joined.targets_n.tolist() == [*LABELS.tolist(), 0, 1, 2]
    assert np.array_equal(np.asarray(joined.reader(1).open(13)), IMAGES[4, 0].numpy())
