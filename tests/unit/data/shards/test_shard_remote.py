"""Packed sets at an address: the same batches, whatever the server does on the way."""

from __future__ import annotations

import hashlib
import itertools
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest
import torch
from loaders import assert_same
from nonempty import nonempty
from packed_trees import NUM_TRAIN, pack_tree
from remote_sets import (
    eval_loader,
    open_at,
    open_local,
    remote_of,
    size_of,
    train_loader,
)
from shard_server import ShardServer, serve

from resnext.data.shards import load as load_module
from resnext.data.shards.cache import used_bytes
from resnext.data.shards.remote import GIB, Remote, open_remote
from resnext.errors import DownloadError
from resnext.partial_file import Patience

pytest_plugins = ["shard_fixtures"]
pytestmark = pytest.mark.usefixtures("cache")


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_batches_over_a_bad_line_are_those_of_the_local_folder(
    packed: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    patience = Patience(attempts=20, pause_s=0.0, timeout_s=0.3)
    monkeypatch.setattr(load_module, "open_remote", partial(open_remote, patience=patience))
    with serve(packed, "503", "stall", "drop") as server:
        local, remote = open_local(packed), open_at(server.address)
        loader = train_loader(remote, workers=workers)
        for epoch in range(2):
            assert_same(list(train_loader(local).epoch(epoch)), list(loader.epoch(epoch)))
        assert_same(list(eval_loader(local)), list(eval_loader(remote, workers=workers)))
        ranges = [asked for name, asked in server.requests if name.endswith(".tar") and asked]
    assert ranges  # what had come before a stall or a drop was not sent again
    assert min(server.num_requests.values()) >= 4  # three faults each, then once for all


@pytest.mark.parametrize("scheme", ["file", "memory"])
def test_other_stores_are_read_through_fsspec(packed: Path, tmp_path: Path, scheme: str) -> None:
    address = f"file://{packed}/"
    if scheme == "memory":
        fsspec = pytest.importorskip("fsspec")
        address = f"memory://{tmp_path.name}/packed"
        store = fsspec.filesystem("memory")
        for path in packed.iterdir():
            store.pipe(f"{address}/{path.name}", path.read_bytes())
    local, remote = open_local(packed), open_at(address)
    assert_same(list(train_loader(local).epoch(0)), list(train_loader(remote, workers=1).epoch(0)))


def test_a_part_of_a_file_from_another_store_is_gone_on_with(packed: Path) -> None:
    remote = remote_of(open_at(f"file://{packed}"))
    whole = (packed / "train-000000.tar").read_bytes()
    part = remote.folder / f"train-000000.tar.{len(whole)}.partial"
    part.write_bytes(whole[:1000])
    opened = remote.open("train", 0)
    assert os.pread(opened, len(whole), 0) == whole
    os.close(opened)


def test_a_signed_address_keeps_its_query(server: ShardServer) -> None:
    open_at(f"{server.address}/?token=abc")
    assert server.num_requests["index.json"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 3])
def test_the_cache_never_exceeds_its_bound(
    packed: Path, server: ShardServer, cache: Path, workers: int
) -> None:
    bound_gib = size_of(packed, 3)
    data = open_at(server.address, cache_gib=bound_gib)
    seen, done = [0.0], threading.Event()

    def watch() -> None:
        while not done.is_set():
            files = [path for path in cache.glob("*/*.tar*") if path.suffix != ".lock"]
            sizes = (path.stat().st_size for path in files if path.exists())
            try:
                seen.append(max(used_bytes(cache), sum(sizes)))
            except FileNotFoundError:
                continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        shown = [b.indices_b for b in train_loader(data, workers=workers).epoch(0)]
        list(eval_loader(data, workers=workers))
    finally:
        done.set()
        watcher.join()
    assert 0 < max(seen) <= bound_gib * GIB + 1
    assert sorted(torch.cat(shown).tolist()) == list(range(NUM_TRAIN))


@pytest.mark.slow
def test_a_bounded_order_is_that_of_the_local_folder_with_the_same_setting(
    packed: Path, server: ShardServer
) -> None:
    shuffle = size_of(packed, 2)
    local = open_local(packed, shuffle_gib=shuffle)
    remote = open_at(server.address, shuffle_gib=shuffle, cache_gib=size_of(packed, 4))
    expected = list(train_loader(local).epoch(1))
    assert_same(expected, list(train_loader(remote, workers=2).epoch(1)))
    assert_same(expected[2:], list(train_loader(remote).epoch(1, first_step=2)))
    full = list(train_loader(open_local(packed)).epoch(1))
    assert any(
        not torch.equal(a.indices_b, b.indices_b) for a, b in zip(expected, full, strict=True)
    )


@pytest.mark.parametrize("world_size", [2, 3])
def test_processes_share_each_bounded_batch(packed: Path, world_size: int) -> None:
    data = open_local(packed, shuffle_gib=size_of(packed, 1))
    alone = [batch.indices_b for batch in train_loader(data).epoch(0)]
    ranks = [
        [b.indices_b for b in train_loader(data, rank=rank, world_size=world_size).epoch(0)]
        for rank in range(world_size)
    ]
    for step, together in enumerate(nonempty(alone)):
        assert torch.equal(torch.cat([shares[step] for shares in ranks]), together)


def test_loaders_that_share_a_cache_fetch_each_shard_once(
    packed: Path, server: ShardServer
) -> None:
    data = open_at(server.address)
    loaders = [train_loader(data, workers=2, rank=rank, world_size=2) for rank in range(2)]
    for _ in itertools.zip_longest(*(loader.epoch(0) for loader in loaders)):
        pass
    shards = {n: k for n, k in server.num_requests.items() if n.startswith("train-")}
    assert set(shards.values()) == {1}
    assert len(shards) == len(list(packed.glob("train-*.tar")))


CHILD = """
import pickle, sys
remote = pickle.loads(bytes.fromhex(sys.argv[1]))
print("begun", flush=True)
remote.open("train", 0)
"""


def test_a_kill_in_mid_download_leaves_nothing_that_is_taken_for_whole(
    packed: Path, server: ShardServer
) -> None:
    server.faults["train-000000.tar"] = ["stall"]
    remote = remote_of(open_at(server.address))
    patient = Remote(remote.address, remote.folder, remote.records, remote.cache_bytes)
    command = [sys.executable, "-c", CHILD, pickle.dumps(patient).hex()]
    child = subprocess.Popen(command, stdout=subprocess.PIPE)
    whole = (packed / "train-000000.tar").read_bytes()
    part = remote.folder / f"train-000000.tar.{len(whole)}.partial"
    while not (part.exists() and part.stat().st_size):
        assert child.poll() is None
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert not (remote.folder / "train-000000.tar").exists()
    came = part.stat().st_size
    assert 0 < came < len(whole)
    opened = remote.open("train", 0)
    assert os.pread(opened, len(whole), 0) == whole
    os.close(opened)
    assert server.requests[-1] == ("train-000000.tar", f"bytes={came}-")


def test_a_stale_part_is_fetched_anew(packed: Path, server: ShardServer) -> None:
    remote = remote_of(open_at(server.address))
    whole = (packed / "train-000000.tar").read_bytes()
    for wrong in (b"x" * 100, b"x" * len(whole), b"x" * (len(whole) + 5)):
        part = remote.folder / f"train-000000.tar.{len(whole)}.partial"
        part.write_bytes(wrong)
        opened = remote.open("train", 0)
        assert os.pread(opened, len(whole) + 5, 0) == whole
        os.close(opened)
        (remote.folder / "train-000000.tar").unlink()


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(
    ("faults", "message"),
    [
        (["503"] * 9, r"train-000001.tar: the server responded with 503 .*; tried 3 times"),
        (["lie"] * 2, r"train-000001.tar is not the file that the index lists"),
        (["404"], r"train-000001.tar: the server responded with 404"),
    ],
)
def test_a_shard_that_cannot_be_had_ends_training_with_one_message(
    server: ShardServer, workers: int, faults: list[str], message: str
) -> None:
    server.faults["train-000001.tar"] = faults * 4  # fetching ahead, and each worker, try too
    loader = train_loader(open_at(server.address), workers=workers)
    with pytest.raises(DownloadError, match=message) as caught:
        list(loader.epoch(0))
    assert server.address in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_a_set_that_is_packed_anew_is_not_mixed_up_with_the_old_one(
    packed: Path, tmp_path: Path, server: ShardServer
) -> None:
    list(eval_loader(open_at(server.address)))
    pack_tree(packed.with_name("photos"), tmp_path / "other", quality=50)
    server.root = tmp_path / "other"
    local, remote = open_local(tmp_path / "other"), open_at(server.address)
    assert_same(list(eval_loader(local)), list(eval_loader(remote)))


def test_names_in_the_report_are_addresses(packed: Path, server: ShardServer) -> None:
    data = open_at(server.address)
    split = data.train
    assert split.path(3) == Path(split.name(3))
    digest = hashlib.sha256((packed / "index.json").read_bytes()).hexdigest()[:16]
    assert remote_of(data).folder.name == digest
