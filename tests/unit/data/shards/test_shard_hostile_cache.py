"""Hostile servers of packed sets, shards and folders of the cache."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hostile_sets import SHARD, change_index, put, rewrite_rows, set_value
from packed_trees import pack_tree, write_tree
from remote_sets import open_at, remote_of, size_of
from shard_server import ShardServer

from resnext.cli import pack as pack_verb
from resnext.data.shards import fields
from resnext.data.shards.check import check
from resnext.data.shards.layout import read_index, shard_name
from resnext.data.shards.write import read_shard
from resnext.download import sha256_of
from resnext.errors import ConfigError, DownloadError

pytest_plugins = ["shard_fixtures"]


def test_a_table_in_the_cache_is_compared_with_the_index(server: ShardServer) -> None:
    folder = remote_of(open_at(server.address)).folder
    place = folder / "train.rows.npy"
    whole = place.read_bytes()
    place.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    open_at(server.address)
    assert place.read_bytes() == whole
    assert server.num_requests["train.rows.npy"] == 2
    assert server.num_requests["val.rows.npy"] == 1


def test_a_shard_in_the_cache_of_another_length_is_fetched_again(server: ShardServer) -> None:
    remote = remote_of(open_at(server.address))
    for _ in range(2):
        opened = remote.open("train", 0)
        io.FileIO(opened).close()
        (remote.folder / "train-000000.tar").write_bytes(b"short")
    assert server.num_requests["train-000000.tar"] == 2


def test_a_shard_longer_than_the_index_says_is_cut_off(packed: Path, server: ShardServer) -> None:
    remote = remote_of(open_at(server.address))
    with (packed / "train-000000.tar").open("ab") as file:
        file.write(bytes(1 << 20))
    with pytest.raises(DownloadError, match=r"train-000000.tar is not the file that the index"):
        remote.open("train", 0)
    assert not [path for path in remote.folder.glob("train-000000.tar*") if path.suffix != ".lock"]


def test_tables_that_would_fill_the_disk_are_not_fetched(packed: Path, server: ShardServer) -> None:
    def claim(value: Any) -> None:
        listed = value["splits"]["train"]
        facts = {"size_bytes": 2**30, "num_samples": 2**19, "sha256": "0" * 64}
        listed["shards"] = [{**facts, "name": shard_name("train", k)} for k in range(100)]
        listed["num_samples"] = 100 * 2**19

    change_index(packed, claim)
    with pytest.raises(ConfigError, match=r"data.cache_gib=1.1: a table of .* alone has 1.56 GiB"):
        open_at(server.address, cache_gib=1.1)
    with pytest.raises(ConfigError, match=r"data.cache_gib=0.5 is too small for a shard"):
        open_at(server.address, cache_gib=0.5)
    assert set(server.num_requests) == {"index.json"}


@pytest.mark.parametrize(
    "address",
    [
        "simplecache://x::file:///etc",
        "file:///etc::memory://x",
        "zip://x::http://127.0.0.1:1/x",
        "reference://x",
        "github://a:b@/c",
        "data://text/plain,x",
        "dask://x",
        "ftp://127.0.0.1/x",
        "local:///etc",
    ],
)
def test_addresses_that_lead_elsewhere_are_not_read(cache: Path, address: str) -> None:
    assert cache
    with pytest.raises(ConfigError, match="such addresses are not supported"):
        open_at(address)


def test_another_store_that_sends_too_much_is_cut_off(
    packed: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsspec = pytest.importorskip("fsspec")
    remote = remote_of(open_at(f"file://{packed}"))
    with (packed / "train-000000.tar").open("ab") as file:
        file.write(bytes(1 << 20))
    # A store that does not know the size of its files.
    kind = type(fsspec.filesystem("file"))
    for size in (kind.size, lambda *_: None):
        monkeypatch.setattr(kind, "size", size)
        with pytest.raises(DownloadError, match="is not the file that the index lists"):
            remote.open("train", 0)
    assert not list(cache.glob("*/train-000000.tar*partial"))


def test_links_in_the_cache_are_never_written_through(
    packed: Path, tmp_path: Path, server: ShardServer, cache: Path
) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "train-000000.tar").write_bytes(b"mine")
    remote = remote_of(open_at(server.address))
    record = remote.records["train-000000.tar"]
    for name in ("train-000000.tar", f"train-000000.tar.{record.size_bytes}.partial"):
        (remote.folder / name).symlink_to(precious / "train-000000.tar")
    with pytest.raises(DownloadError, match="cannot be stored"):
        remote.open("train", 0)
    (remote.folder / f"train-000000.tar.{record.size_bytes}.partial").unlink()
    io.FileIO(remote.open("train", 0)).close()  # the link itself is replaced
    (cache / "0123").symlink_to(precious)
    small = remote_of(open_at(server.address, cache_gib=size_of(packed, 1.2)))
    for number in range(3):
        io.FileIO(small.open("train", number)).close()  # makes room
    assert (precious / "train-000000.tar").read_bytes() == b"mine"


def test_a_set_is_not_kept_in_a_folder_that_a_link_leads_to(
    tmp_path: Path, server: ShardServer
) -> None:
    folder = remote_of(open_at(server.address)).folder
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    (tmp_path / "elsewhere").mkdir()
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DownloadError, match="is a link"):
        open_at(server.address)
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize("name", ["x.tar.partial", "x.tar.y.partial", ".tar", "x.tar.99.partial.y"])
def test_other_files_in_the_cache_are_left_alone(server: ShardServer, name: str) -> None:
    data = open_at(server.address, cache_gib=1e-4)
    (remote_of(data).folder / name).write_bytes(b"x")
    for number in range(3):
        io.FileIO(remote_of(data).open("train", number)).close()
    assert (remote_of(data).folder / name).exists()


def tar_of(*members: tuple[str, bytes, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, kind, content in members:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


FILE, LINK, PIPE = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.FIFOTYPE


@pytest.mark.parametrize(
    "content",
    [
        tar_of(("0000000001.jpg", FILE, b"x"), ("0000000001.cls", FILE, b"no number")),
        tar_of(("../../x.jpg", FILE, b"x"), ("0000000001.cls", FILE, b"0")),
        tar_of(("0000000001.jpg", LINK, b""), ("0000000001.cls", FILE, b"0")),
        tar_of(("0000000001.jpg", PIPE, b""), ("0000000001.cls", FILE, b"0")),
        tar_of(("0000000001.jpg", FILE, b"x")),
        tar_of(("0000000001.jpg", FILE, b"x"), ("0000000001.cls", FILE, b"9" * 30)),
        tar_of(("9" * 30 + ".jpg", FILE, b"x"), ("0000000001.cls", FILE, b"0")),
        b"\x1f\x8b" + bytes(20_000),
        b"x" * 20_480,
    ],
)
def test_a_shard_that_pack_did_not_write_is_damaged_whatever_its_hash(
    packed: Path, content: bytes
) -> None:
    """The hash only says that it is the shard that the index means."""
    index = read_index(packed)
    record = index.splits["train"].shards[0]
    (packed / record.name).write_bytes(content)
    forged = record.model_copy(
        update={"size_bytes": len(content), "sha256": sha256_of(packed / record.name)}
    )
    assert read_shard(forged, 0, packed) is None
    change_index(packed, set_value(*SHARD, "size_bytes", to=len(content)))
    change_index(packed, set_value(*SHARD, "sha256", to=forged.sha256))
    assert check(packed, 1).damage


def test_the_check_names_what_is_wrong_and_fails(
    packed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rewrite_rows(packed, put("offset", -1))
    assert pack_verb.main(["--check", str(packed)]) == 1
    assert "damaged train.rows.npy: the table of train" in capsys.readouterr().err


def test_shards_too_many_for_their_names_are_refused_before_packing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resnext.data.shards.plan.MAX_SHARDS", 5)
    with pytest.raises(ConfigError, match="--shard-mib"):
        pack_tree(write_tree(tmp_path / "photos"), tmp_path / "packed", shard_mib=0.001)


def test_a_set_that_no_index_may_describe_is_refused_before_packing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fields, "MAX_TEXT_CHARS", 2)
    with pytest.raises(ConfigError, match="cannot be packed"):
        pack_tree(write_tree(tmp_path / "photos"), tmp_path / "packed")
    assert not (tmp_path / "packed").exists()
