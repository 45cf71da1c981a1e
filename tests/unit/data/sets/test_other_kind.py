"""Folders and files of other kinds than images are recognised, and images are never mistaken."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnext.data.sets.other_kind import advise_other_kind
from resnext.data.sets.parse import parse_data
from resnext.errors import ConfigError


def made(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


@pytest.mark.parametrize(
    ("names", "prefix"),
    [
        (("cat/a.wav", "dog/b.WAV"), "audio"),
        (("train/cat/a.mp3", "notes.txt"), "audio"),
        (("train/up/a.mp4", "val/up/b.mp4"), "video"),
        (("wave/a.gif", "jump/b.gif"), "video"),
        (("sick/a.nii.gz", "well/b.nii.gz"), "volume"),
        (("annotations/instances_train2017.json", "train2017/a.jpg"), "coco"),
        (("train/_annotations.coco.json", "train/a.jpg"), "coco"),
        (("Annotations/a.xml", "JPEGImages/a.jpg"), "voc"),
        (("data.yaml", "images/train/a.jpg", "labels/train/a.txt"), "yolo"),
        (("data.yaml", "train/images/a.jpg", "train/labels/a.txt"), "yolo"),
    ],
)
def test_the_advice_names_the_prefix(names: tuple[str, ...], prefix: str, tmp_path: Path) -> None:
    root = made(tmp_path / "d", *names)
    with pytest.raises(ConfigError, match="seems to hold") as caught:
        parse_data(str(root))
    assert str(caught.value).endswith(f"name it {prefix}:{root}")
    assert parse_data(f"{prefix}:{root}").name == prefix


@pytest.mark.parametrize(
    ("name", "advice"),
    [("X_TRAIN.ts", "series:"), ("cubes.npz", "volume:")],
)
def test_a_file_of_signals_is_recognised(name: str, advice: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"name it {advice}"):
        parse_data(str(made(tmp_path, name) / name))


def test_the_training_file_of_a_folder_of_series_is_named(tmp_path: Path) -> None:
    made(tmp_path, "X_TEST.ts", "X_TRAIN.ts", "X_TRAIN.tsv")
    with pytest.raises(ConfigError, match=r"name it series:.*/X_TRAIN\.ts$"):
        parse_data(str(tmp_path))


@pytest.mark.parametrize(
    "names",
    [
        ("cat/a.jpg", "dog/b.png"),
        ("cat/a.jpg", "cat/song.mp3", "dog/b.png"),
        ("train/cat/a.jpg", "labels.csv"),
        ("cat/labels.txt",),
        (),
    ],
)
def test_images_and_unknown_files_are_left_to_their_readers(
    names: tuple[str, ...], tmp_path: Path
) -> None:
    assert advise_other_kind(made(tmp_path, *names)) is None
    assert parse_data(str(tmp_path)).name in ("folder", "table")


def test_a_huge_folder_is_only_glanced_at(tmp_path: Path) -> None:
    made(tmp_path, *(f"a/{number:05}.txt" for number in range(2_000)), "a/b/c.wav")
    assert advise_other_kind(tmp_path) is None
