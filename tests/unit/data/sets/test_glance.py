"""The size of a set's images, without reading more than a few headers."""

from pathlib import Path

import pytest
from PIL import Image

from resnext.data.config import DataConfig
from resnext.data.decode.image import read_file
from resnext.data.sets import glance
from resnext.data.sets.glance import typical_side_px
from resnext.errors import DataError


def _write(root: Path, sizes: list[tuple[int, int]]) -> DataConfig:
    for number, size in enumerate(sizes):
        for label in "ab":
            file = root / label / f"{number}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", size).save(file)
    return DataConfig(name="folder", root=root)


def test_it_is_the_median_of_the_shorter_sides(tmp_path: Path) -> None:
    assert typical_side_px(_write(tmp_path, [(20, 90), (70, 30), (40, 40)])) == 30


def test_of_split_folders_the_training_images_count(tmp_path: Path) -> None:
    _write(tmp_path / "Train", [(20, 30)])
    _write(tmp_path / "val", [(200, 300)])
    assert typical_side_px(DataConfig(name="folder", root=tmp_path)) == 20


def test_damaged_files_are_left_out_and_few_files_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = _write(tmp_path, [(50, 50)] * 200)
    read: list[Path] = []
    original = read_file

    def counted(path: Path) -> bytes:
        read.append(path)
        return original(path)

    monkeypatch.setattr(glance, "read_file", counted)
    assert typical_side_px(data) == 50
    assert len(read) < 30
    for path in read:
        path.write_bytes(b"torn")
    assert typical_side_px(data) is None


def test_known_sets_and_asked_sizes_need_no_look() -> None:
    assert typical_side_px(DataConfig(name="cifar10")) == 32
    asked = DataConfig(name="folder", root=Path("nowhere"), image_size_px=64)
    assert typical_side_px(asked) == 64
    assert typical_side_px(DataConfig(name="imagenet", root=Path("nowhere"))) is None
    with pytest.raises(DataError, match="is not a folder"):
        typical_side_px(DataConfig(name="folder", root=Path("nowhere")))
