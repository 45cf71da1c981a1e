"""Settings of a data set: what is accepted, and what it is called."""

from pathlib import Path
from typing import Any

import pytest

from resnext.data.config import DataConfig
from resnext.data.sets.parse import parse_data
from resnext.errors import ConfigError

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


def test_addresses_are_settings_like_others() -> None:
    address = "https://host/sets/packed/"
    config = DataConfig(name="shards", url=address, cache_gib=5)
    assert parse_data(address) == parse_data(f"shards:{address}") == config.replace(cache_gib=None)
    assert DataConfig(**config.model_dump(mode="json")) == config


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "shards", "url": "host/packed"}, "url='host/packed': give an address"),
        ({"name": "shards", "url": "http://a/b", "root": Path("c")}, "and not both"),
        ({"name": "digits", "url": "http://a/b"}, "url is for name='shards' only"),
        ({"name": "digits", "shuffle_gib": 1.0}, "shuffle_gib is for name='shards' only"),
        ({"name": "shards", "root": Path("c"), "cache_gib": 1.0}, "cache_gib is for shards at an"),
    ],
)
def test_settings_without_an_effect_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        DataConfig(**options)
