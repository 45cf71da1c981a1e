import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from resnext.data.array_split import ArraySplit
from resnext.data.file_split import FileSplit
from resnext.errors import ConfigError, DataError
from resnext.evaluation.protocols import (
    load_imagenet_v2,
    load_real_labels,
    map_classes,
    nearest_listed,
)


def split_of(*numbers: int) -> FileSplit:
    """Return validation images of ImageNet by their numbers."""
    names = tuple(f"n01440764/ILSVRC2012_val_{number:08d}.JPEG" for number in numbers)
    return FileSplit(Path("val"), names, torch.zeros(len(names), dtype=torch.int64))


def write_real(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def test_equal_class_lists_need_no_mapping() -> None:
    assert map_classes(("a", "b"), ("a", "b"), 2) is None


def test_classes_are_found_by_name_in_any_order() -> None:
    assert map_classes(("a", "b", "c"), ("c", "a"), 3) == [2, 0]


def test_classes_that_the_network_does_not_know_are_named() -> None:
    with pytest.raises(DataError, match=r"1 of the 2 classes.*'cow'"):
        map_classes(("cat", "dog"), ("cat", "cow"), 2)


def test_without_names_only_the_number_of_classes_is_compared() -> None:
    assert map_classes((), ("a", "b"), 2) is None
    with pytest.raises(DataError, match="and 3 outputs, but the data set has 2"):
        map_classes((), ("a", "b"), 3)


def test_real_labels_go_by_the_number_in_the_file_name(tmp_path: Path) -> None:
    path = write_real(tmp_path / "real.json", [[5], [], [7, 8]])
    assert load_real_labels(path, split_of(3, 1, 2), 1000) == [[7, 8], [5], []]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"1": [2]}, "does not contain ReaL labels"),
        ([[1000], [1], [1]], "does not contain ReaL labels"),
        ([[1], [2]], "has 2 lists, but there is an image 3"),
    ],
)
def test_a_foreign_file_of_real_labels_is_refused(
    tmp_path: Path, value: object, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        load_real_labels(write_real(tmp_path / "real.json", value), split_of(3), 1000)


def test_a_missing_or_torn_file_of_real_labels_is_refused(tmp_path: Path) -> None:
    (tmp_path / "torn.json").write_text("[[1], [2", encoding="utf-8")
    for name in ("none.json", "torn.json"):
        with pytest.raises(DataError, match="cannot read the ReaL labels"):
            load_real_labels(tmp_path / name, split_of(1), 1000)


def test_real_labels_need_imagenets_file_names_and_classes(tmp_path: Path) -> None:
    path = write_real(tmp_path / "real.json", [[1]])
    renamed = FileSplit(Path("val"), ("n01440764/tench.jpg",), torch.zeros(1, dtype=torch.int64))
    with pytest.raises(DataError, match=r"tench\.jpg"):
        load_real_labels(path, renamed, 1000)
    with pytest.raises(ConfigError, match="1000 classes"):
        load_real_labels(path, split_of(1), 10)
    digits = ArraySplit(torch.zeros(1, 8, 8, 1, dtype=torch.uint8), torch.tensor([0]))
    with pytest.raises(ConfigError, match="imagenet:FOLDER"):
        load_real_labels(path, digits, 1000)


def test_the_listed_class_that_the_network_prefers_is_the_label() -> None:
    log_probs = torch.tensor([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.1, 0.8, 0.1]]).log()
    kept, labels = nearest_listed(log_probs, [[2, 1], [], [1]])
    assert kept.tolist() == [True, False, True]
    assert labels.tolist() == [1, 1]


def test_folders_of_imagenet_v2_are_ordered_as_numbers(tmp_path: Path) -> None:
    for number in (0, 1, 2, 10, 100, 999):
        (tmp_path / str(number)).mkdir()
        Image.new("RGB", (2, 2)).save(tmp_path / str(number) / "image.png")
    split = load_imagenet_v2(tmp_path, 1000)
    folders = [split.name(index).partition("/")[0] for index in range(len(split))]
    labels = dict(zip(folders, split.targets_n.tolist(), strict=True))
    assert labels == {"0": 0, "1": 1, "2": 2, "10": 10, "100": 100, "999": 999}


def test_other_folders_are_not_taken_for_imagenet_v2(tmp_path: Path) -> None:
    for name in ("1", "1000", "cat"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (2, 2)).save(tmp_path / name / "image.png")
    with pytest.raises(DataError, match=r"named 0 to 999, but there is '1000', 'cat'"):
        load_imagenet_v2(tmp_path, 1000)
    with pytest.raises(ConfigError, match="this one has 10"):
        load_imagenet_v2(tmp_path, 10)
    with pytest.raises(DataError, match="is not a folder"):
        load_imagenet_v2(tmp_path / "none", 1000)
