"""What is said of a data set before training."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from resnext.data.sets.folders import load_folder
from resnext.data.sets.glance import ImageSizes, look_at_images, measure_sizes
from resnext.data.sets.summary import (
    DataSummary,
    count_endings,
    summarise,
)
from resnext.data.sets.summary_lines import summary_lines
from resnext.data.targets import count_per_class


def _summary(**changes: Any) -> DataSummary:
    values: dict[str, Any] = {
        "name": "photos",
        "classes": ("ant", "bee"),
        "counts": {"train": [110, 100], "val": [12, 36]},
        "split_source": "a tenth of each class, by file names",
    }
    values |= changes
    values["num_images"] = {split: sum(counts) for split, counts in values["counts"].items()}
    return DataSummary(**values)


def test_guessing_the_largest_training_class_is_judged_on_validation() -> None:
    assert _summary().guess == ("ant", 75.0)


def test_the_lines_name_every_count() -> None:
    lines = dict(summary_lines(_summary(formats={".jpg": 250, ".png": 8}, skipped={".txt": 3})))
    assert lines == {
        "data": "photos: 258 images; 2 classes: bee 136, ant 122",
        "split": "210 train, 48 val (a tenth of each class, by file names)",
        "formats": ".jpg 250, .png 8",
        "skipped": ".txt 3",
        "guessing": "always predicting 'ant' is wrong for 75.0 % of val",
    }


@pytest.mark.parametrize(
    ("train", "expected"),
    [
        ([500, 100], "ant has 5 times as many training images as bee; .*--balance"),
        ([100, 1234], "bee has 12 times as many training images as ant; .*--balance"),
        ([499, 100], None),
        ([500, 0], None),
    ],
)
def test_balancing_is_suggested_where_one_class_has_five_times_the_images(
    train: list[int], expected: str | None
) -> None:
    lines = dict(summary_lines(_summary(counts={"train": train, "val": [5, 5]})))
    if expected is None:
        assert "balance" not in lines
    else:
        assert re.match(expected, lines["balance"])


def test_of_many_classes_the_largest_and_the_smallest_are_named() -> None:
    names = tuple(f"c{k}" for k in range(40))
    counts = {"train": [100 - k for k in range(40)], "val": [1] * 40}
    lines = dict(summary_lines(_summary(classes=names, counts=counts)))
    assert lines["data"].endswith("40 classes, from c0 (101) to c39 (62)")


def test_what_looks_wrong_is_warned_of() -> None:
    summary = _summary(
        classes=("ant", "bee", "fly"),
        counts={"train": [110, 100, 1], "val": [12, 36, 0]},
        duplicates=(("ant/1.jpg", "ant/2.jpg"),),
    )
    twins, lonely = summary.warnings
    assert "1 validation image(s) are also in training, such as ant/2.jpg = ant/1.jpg" in twins
    assert lonely == "1 class(es) have a single image: fly"


def test_sizes_are_those_after_turning_and_damaged_files_are_left_out(tmp_path: Path) -> None:
    for name, size in (("a.png", (10, 20)), ("b.png", (40, 30)), ("c.jpg", (50, 60))):
        exif = Image.Exif()
        exif[0x0112] = 6 if name == "c.jpg" else 1
        Image.new("RGB", size).save(tmp_path / name, exif=exif)
    (tmp_path / "d.png").write_bytes(b"damaged")
    sizes = measure_sizes(tmp_path, ["a.png", "b.png", "c.jpg", "d.png"])
    assert sizes is not None
    assert (sizes.num_images, sizes.smallest, sizes.largest) == (3, (10, 20), (60, 50))
    assert (sizes.median, sizes.median_short_px) == ((40, 30), 30)
    assert measure_sizes(tmp_path, ["d.png"]) is None


def _noise(path: Path, side: int = 32) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(len(str(path))).integers(0, 256, (side, side, 3), np.uint8)
    Image.fromarray(values).save(path)
    return path.read_bytes()


def test_unreadable_images_of_every_split_are_warned_of(tmp_path: Path) -> None:
    for number, split in enumerate(("train", "val", "test")):
        for name in ("a/1.jpg", "a/2.png", "b/1.jpg"):
            content = _noise(tmp_path / split / name, 128 + number)
    (tmp_path / "train/a/half.jpg").write_bytes(content[: len(content) // 2])
    (tmp_path / "val/b/text.jpg").write_text("hello")
    (tmp_path / "test/b/empty.png").touch()
    summary = summarise(load_folder(tmp_path, 0.1))
    assert summary.num_sampled == 12
    assert [Path(path).name for path in summary.unreadable] == ["half.jpg", "text.jpg", "empty.png"]
    assert summary.sizes is not None
    assert summary.sizes.num_images == 3
    (warning,) = [text for text in summary.warnings if "cannot be read" in text]
    assert warning.startswith("3 of 12 sampled images cannot be read: ")
    assert f"{tmp_path}/val/b/text.jpg (" in warning
    assert "empty.png (the file is empty)" in warning


def test_no_more_pixels_are_decoded_than_a_glance_takes(tmp_path: Path) -> None:
    content = _noise(tmp_path / "0.jpg", 128)
    for number in range(1, 10):
        (tmp_path / f"{number}.jpg").write_bytes(content[: len(content) // 2 * (number < 5)])
    names = [f"{number}.jpg" for number in range(10)]
    found = look_at_images(tmp_path, names, max_decoded_pixels=2 * 128**2)
    assert list(found.unreadable) == ["1.jpg", *(f"{number}.jpg" for number in range(5, 10))]
    assert found.num_images == 10


def test_counts() -> None:
    assert count_per_class(torch.tensor([0, 2, 2]), 4) == [1, 0, 2, 0]
    assert count_endings(["a.JPG", "b.jpg", "c", "x/d.png"]) == {
        ".jpg": 2,
        "no extension": 1,
        ".png": 1,
    }


def test_a_folder_is_summarised(tmp_path: Path) -> None:
    for place, name in enumerate(("train/a/1", "train/a/2", "train/b/1", "val/a/1", "val/b/1")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 6), (place % 3, 0, 0)).save(tmp_path / f"{name}.png")
    (tmp_path / "train/a/notes.txt").touch()
    summary = summarise(load_folder(tmp_path, 0.1))
    assert summary.counts == {"train": [2, 1], "val": [1, 1]}
    assert (summary.formats, summary.skipped) == ({".png": 5}, {".txt": 1})
    assert summary.sizes is not None
    assert summary.sizes.median == (8, 6)
    assert summary.duplicates == (("a/1.png", "a/1.png"), ("a/2.png", "b/1.png"))


def test_what_lies_beside_the_splits_is_warned_of(tmp_path: Path) -> None:
    for name in ("train/a/1", "train/b/2", "val/a/3", "val/b/4", "extra/5"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 6), (int(name[-1]), 0, 0)).save(tmp_path / f"{name}.png")
    (warning,) = summarise(load_folder(tmp_path, 0.1)).warnings
    assert warning.startswith("left out extra/ beside train/, val/")


def test_few_photos_are_advised_to_start_from_published_weights() -> None:
    sizes = ImageSizes(1, (9, 9), (9, 9), (9, 9), 9)
    few = _summary(counts={"train": [2_500, 2_499], "val": [9, 9]}, sizes=sizes)
    assert "resnext train --pretrained" in dict(summary_lines(few))["advice"]
    assert "4,999 training images" in few.advice[0]
    assert "advice" not in dict(summary_lines(few, has_weights=True))
    assert not few.warnings
    enough = _summary(counts={"train": [2_500, 2_500], "val": [9, 9]}, sizes=sizes)
    in_memory = _summary(counts={"train": [20, 20], "val": [9, 9]})
    assert enough.advice == in_memory.advice == []


def test_nothing_is_guessed_of_an_empty_validation_split() -> None:
    empty = _summary(counts={"train": [110, 100], "val": [0, 0]})
    assert "guessing" not in dict(summary_lines(empty))
