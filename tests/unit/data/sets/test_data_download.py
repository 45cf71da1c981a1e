"""Several processes that need one small data set: one fetches, and half a file never counts."""

from __future__ import annotations

import gzip
import hashlib
import os
import pickle
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from fashion_files import write_fashion_mnist
from torchvision import datasets

from resnext.data.sets import cifar, fashion_mnist
from resnext.data.sets.cifar import load_cifar
from resnext.data.sets.fashion_mnist import load_fashion_mnist
from resnext.errors import DataError

NUM_WORKERS = 4


class FakeFetch:
    """Counts the downloads of all files, takes its time and leaves torn files meanwhile."""

    def __init__(self, folder: Path) -> None:
        self.files: list[str] = []
        write_fashion_mnist(folder, 20)
        self._folder = folder

    @property
    def num_calls(self) -> float:
        return len(self.files) / len(datasets.FashionMNIST.resources)

    def fetch(self, address: str, place: Path, md5: str) -> None:
        assert md5 in dict(datasets.FashionMNIST.resources).values()
        assert address.startswith("http")
        self.files.append(place.name)
        content = (self._folder / place.name).read_bytes()
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(content[: len(content) // 2])
        time.sleep(0.1)
        place.write_bytes(content)


@pytest.fixture
def fetch(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> FakeFetch:
    fake = FakeFetch(tmp_path_factory.mktemp("published"))
    monkeypatch.setattr(fashion_mnist, "fetch_official", fake.fetch)
    monkeypatch.setattr(fashion_mnist, "_PARTS", {"train": 20, "t10k": 20})
    return fake


def test_of_several_workers_one_fetches_and_all_read_whole_files(
    tmp_path: Path, fetch: FakeFetch
) -> None:
    with ThreadPoolExecutor(NUM_WORKERS) as pool:
        sets = list(pool.map(load_fashion_mnist, [tmp_path / "new"] * NUM_WORKERS))
    assert fetch.num_calls == 1
    assert [len(data.train) for data in sets] == [20] * NUM_WORKERS
    assert not (tmp_path / "new" / ".fetched").exists()


@pytest.mark.parametrize("packed", [True, False])
def test_what_a_killed_download_left_is_fetched_again(
    tmp_path: Path, fetch: FakeFetch, packed: bool
) -> None:
    folder = tmp_path / "FashionMNIST" / "raw"
    write_fashion_mnist(folder, 20, packed=packed)
    torn = next(folder.glob("t10k-images*"))
    torn.write_bytes(torn.read_bytes()[:-9])
    (tmp_path / ".fetched" / "FashionMNIST").mkdir(parents=True)
    (tmp_path / ".fetched" / "FashionMNIST" / "left").touch()
    assert len(load_fashion_mnist(tmp_path).val) == 20
    assert fetch.num_calls == 1
    assert not (tmp_path / ".fetched").exists()


def test_a_file_half_unpacked_is_read_from_its_archive(tmp_path: Path, fetch: FakeFetch) -> None:
    folder = tmp_path / "FashionMNIST" / "raw"
    write_fashion_mnist(folder, 20)
    (folder / "train-images-idx3-ubyte").write_bytes(b"\x00\x00")
    assert len(load_fashion_mnist(tmp_path).train) == 20
    assert fetch.num_calls == 0


def test_where_all_is_there_nothing_is_written(tmp_path: Path, fetch: FakeFetch) -> None:
    write_fashion_mnist(tmp_path, 20)
    before = sorted(tmp_path.rglob("*"))
    load_fashion_mnist(tmp_path)
    assert sorted(tmp_path.rglob("*")) == before
    assert fetch.num_calls == 0


def test_a_folder_that_cannot_be_written_and_lacks_the_files_is_one_message(
    tmp_path: Path, fetch: FakeFetch
) -> None:
    (tmp_path / ".fetch.lock").mkdir()  # stands for a folder without the right to write
    with pytest.raises(DataError, match=r"cannot be downloaded.*t10k-labels-idx1-ubyte\.gz"):
        load_fashion_mnist(tmp_path)
    assert fetch.num_calls == 0


def test_of_several_workers_one_unpacks_cifar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = datasets.CIFAR10
    files = _cifar_files()
    sums = {name: hashlib.md5(content).hexdigest() for name, content in files.items()}
    monkeypatch.setattr(kind, "meta", {**kind.meta, "md5": sums[kind.meta["filename"]]})
    for part in ("train_list", "test_list"):
        monkeypatch.setattr(kind, part, [[name, sums[name]] for name, _ in getattr(kind, part)])
    calls = []

    def unpack_slowly(self: datasets.CIFAR10) -> None:
        if self._check_integrity():
            return
        calls.append(self.root)
        for name, content in files.items():
            place = tmp_path / kind.base_folder / name
            place.parent.mkdir(exist_ok=True)
            place.write_bytes(content[:10])
            time.sleep(0.03)
            place.write_bytes(content)

    monkeypatch.setattr(kind, "download", unpack_slowly)
    monkeypatch.setattr(cifar, "fetch_official", lambda *_: None)
    with ThreadPoolExecutor(NUM_WORKERS) as pool:
        sets = list(pool.map(lambda root: load_cifar(10, root), [tmp_path] * NUM_WORKERS))
    assert len(calls) == 1
    assert [len(data.val) for data in sets] == [2] * NUM_WORKERS
    (tmp_path / ".fetch.lock").unlink(missing_ok=True)
    before = sorted(tmp_path.rglob("*"))
    load_cifar(10, tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


def _cifar_files() -> dict[str, bytes]:
    kind = datasets.CIFAR10
    pixels = np.zeros((2, 3072), dtype=np.uint8)
    names = [name for name, _ in (*kind.train_list, *kind.test_list)]
    files = {name: pickle.dumps({"data": pixels, "labels": [0, 1]}) for name in names}
    return files | {kind.meta["filename"]: pickle.dumps({kind.meta["key"]: ["a", "b"]})}


@pytest.mark.parametrize("packed", [True, False])
def test_a_file_that_holds_more_than_it_should_is_not_read_whole(
    tmp_path: Path, fetch: FakeFetch, packed: bool
) -> None:
    write_fashion_mnist(tmp_path, 20, packed=packed)
    path = next(tmp_path.glob("t10k-images*"))
    if packed:
        path.write_bytes(gzip.compress(bytes(100 << 20), 1))
    else:
        os.truncate(path, 100 << 20)
    tracemalloc.start()
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte\[.gz\]"):
        load_fashion_mnist(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 << 20
    assert fetch.num_calls == 0
