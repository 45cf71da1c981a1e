"""What a data set is called."""

from pathlib import Path

import pytest

from resnext.data.config import DataConfig

ADDRESS = "https://host.example/sets/birds/"


@pytest.mark.parametrize(
    ("config", "label"),
    [
        (DataConfig(), "digits"),
        (DataConfig(name="imagenet", root=Path("/data/ilsvrc")), "imagenet"),
        (DataConfig(name="folder", root=Path("/data/my photos/")), "my photos"),
        (DataConfig(name="shards", root=Path("packed")), "packed"),
        (DataConfig(name="shards", url=ADDRESS), "birds"),
        (DataConfig(name="shards", url="s3://bucket"), "bucket"),
        (DataConfig(name="folder", root=Path("/")), "folder"),
    ],
)
def test_the_label_is_the_folders_own_name(config: DataConfig, label: str) -> None:
    assert config.label == label


def test_the_folder_that_one_is_in_has_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "photos").mkdir()
    monkeypatch.chdir(tmp_path / "photos")
    assert DataConfig(name="folder", root=Path()).label == "photos"
