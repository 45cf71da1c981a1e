"""Addresses at which no packed set can be had: one message says what is wrong."""

from pathlib import Path

import pytest
from packed_trees import NUM_TRAIN
from remote_sets import open_at
from shard_server import ShardServer, serve

from resnext.cli import pack as pack_verb
from resnext.errors import ConfigError, DataError, DownloadError

pytest_plugins = ["shard_fixtures"]
pytestmark = pytest.mark.usefixtures("cache")


def test_a_set_that_is_not_there_names_the_address(packed: Path) -> None:
    with serve(packed.parent / "photos") as server, pytest.raises(DownloadError) as caught:
        open_at(server.address)
    assert f"{server.address}/index.json: the server responded with 404" in str(caught.value)
    with pytest.raises(DownloadError, match=r"index.json: .*refused"):  # nobody listens any more
        open_at(server.address)
    with pytest.raises(DownloadError, match=r"file:///nowhere/index.json: No such file"):
        open_at("file:///nowhere")


def test_a_folder_that_is_no_packed_set_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text("{}")
    with (
        serve(tmp_path) as server,
        pytest.raises(DataError, match=f"{server.address} is not a packed data set"),
    ):
        open_at(server.address)


def test_a_table_of_another_set_is_refused(server: ShardServer) -> None:
    server.faults["val.names.npy"] = ["lie"]
    with pytest.raises(DataError, match=r"val.names.npy is not the file that the index lists"):
        open_at(server.address)
    assert len(open_at(server.address).train) == NUM_TRAIN  # nothing of it was kept


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cache_gib": 1e-9}, r"data.cache_gib=1e-09 is too small for a shard"),
        ({"cache_gib": 6e-5, "shuffle_gib": 6e-5}, r"shuffle_gib to at most half"),
    ],
)
def test_a_cache_that_is_too_small_is_refused(
    server: ShardServer, options: dict[str, float], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        open_at(server.address, **options)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("nosuch://host/packed", "nosuch://host/packed/index.json: .*fsspec store"),
        ("s3://bucket/packed", "s3://bucket/packed/index.json: .*s3fs"),
    ],
)
def test_a_store_that_nothing_reads_says_what_to_install(address: str, message: str) -> None:
    if address.startswith("s3"):
        try:
            import s3fs  # type: ignore[import-not-found]  # noqa: F401
        except ImportError:
            pass
        else:
            pytest.skip("s3fs is installed")
    with pytest.raises(ConfigError, match=message):
        open_at(address)


def test_only_a_local_folder_is_checked() -> None:
    with pytest.raises(ConfigError, match="--check https://host/packed: only local folders"):
        pack_verb.main(["--check", "https://host/packed"])
