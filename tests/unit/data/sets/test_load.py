from __future__ import annotations

import hashlib
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fashion_files import write_fashion_mnist
from torchvision import datasets

from resnext.cache import cache_folder
from resnext.data.array_split import ArraySplit
from resnext.data.config import DataConfig
from resnext.data.sets import fashion_mnist
from resnext.data.sets.load import load_data
from resnext.errors import ConfigError, DataError, DownloadError


def arrays(split: object) -> ArraySplit:
    assert isinstance(split, ArraySplit)
    return split


def test_digits_are_all_there_once_and_split_within_each_class() -> None:
    data = load_data(DataConfig())
    train, val = arrays(data.train), arrays(data.val)
    assert len(train) + len(val) == 1797
    assert train.images_nhwc.shape[1:] == (8, 8, 1)
    assert int(train.images_nhwc.max()) == 255
    counts = [torch.bincount(split.targets_n, minlength=10) for split in (train, val)]
    shares = counts[1] / (counts[0] + counts[1])
    assert bool((shares - 0.2).abs().lt(0.004).all())


def test_digits_are_normalised_to_mean_zero_and_deviation_one() -> None:
    data = load_data(DataConfig())
    values = (arrays(data.train).images_nhwc / 255 - data.info.mean[0]) / data.info.std[0]
    assert abs(float(values.mean())) < 1e-3
    assert abs(float(values.std()) - 1) < 1e-3


def test_the_split_of_the_digits_is_the_same_each_time() -> None:
    first, second = (arrays(load_data(DataConfig()).val) for _ in range(2))
    assert torch.equal(first.images_nhwc, second.images_nhwc)


def test_a_root_for_the_digits_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="digits are built in"):
        load_data(DataConfig(root=tmp_path))


def test_a_subset_holds_the_same_training_images_and_leaves_the_validation_alone() -> None:
    whole, part, more = (load_data(DataConfig(num_train=num)) for num in (None, 100, 101))
    images = [arrays(data.train).images_nhwc.flatten(1) for data in (whole, part, more)]
    assert len(arrays(part.train)) == 100
    assert len(arrays(part.val)) == len(arrays(whole.val))
    rows = [{tuple(row) for row in image.tolist()} for image in images]
    assert rows[1] < rows[2] < rows[0]
    labels = dict(
        zip(map(tuple, images[0].tolist()), arrays(whole.train).targets_n.tolist(), strict=True)
    )
    kept = zip(map(tuple, images[1].tolist()), arrays(part.train).targets_n.tolist(), strict=True)
    assert all(labels[image] == label for image, label in kept)


def test_chosen_classes_are_kept_with_their_images_and_numbered_in_the_given_order() -> None:
    whole, part = load_data(DataConfig()), load_data(DataConfig(classes=("7", "2")))
    assert part.info.classes == ("7", "2")
    for before, after in ((whole.train, part.train), (whole.val, part.val)):
        old, new = arrays(before), arrays(after)
        for label, digit in enumerate((7, 2)):
            expected = old.images_nhwc[old.targets_n == digit]
            assert torch.equal(new.images_nhwc[new.targets_n == label], expected)
        assert len(new) == int(((old.targets_n == 7) | (old.targets_n == 2)).sum())


def test_a_class_that_the_set_does_not_have_is_refused() -> None:
    with pytest.raises(ConfigError, match="digits has no class 'cat'; its classes are 0, 1"):
        load_data(DataConfig(classes=("1", "cat")))


def test_a_subset_larger_than_the_set_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"num_train=2000.*digits has 14\d\d training images"):
        load_data(DataConfig(num_train=2000))


def test_the_configured_size_wins() -> None:
    assert load_data(DataConfig()).info.image_size_px == 8
    assert load_data(DataConfig(image_size_px=16)).info.image_size_px == 16


@pytest.fixture
def few_fashion_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fashion_mnist, "_PARTS", {"train": 20, "t10k": 20})


@pytest.mark.usefixtures("few_fashion_images")
@pytest.mark.parametrize("below", [".", "raw", "FashionMNIST/raw"])
@pytest.mark.parametrize("packed", [True, False])
def test_fashion_mnist_is_read_from_its_official_files(
    tmp_path: Path, below: str, packed: bool
) -> None:
    write_fashion_mnist(tmp_path / below, 20, packed=packed)
    data = load_data(DataConfig(name="fashion-mnist", root=tmp_path))
    expected = np.random.default_rng(0).integers(0, 256, (20, 28, 28), dtype=np.uint8)
    assert np.array_equal(arrays(data.train).images_nhwc[..., 0].numpy(), expected)
    assert arrays(data.train).targets_n.tolist() == [n % 10 for n in range(20)]


@pytest.mark.usefixtures("few_fashion_images")
@pytest.mark.parametrize("damage", ["torn", "other"])
def test_damaged_fashion_mnist_files_are_named(tmp_path: Path, damage: str) -> None:
    write_fashion_mnist(tmp_path, 20 if damage == "torn" else 19)
    if damage == "torn":
        path = tmp_path / "train-images-idx3-ubyte.gz"
        path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(DataError, match="train-images-idx3-ubyte"):
        load_data(DataConfig(name="fashion-mnist", root=tmp_path))


@pytest.mark.parametrize(
    ("name", "official"),
    [
        ("fashion-mnist", "t10k-labels-idx1-ubyte.gz"),
        ("cifar10", "cifar-10-python.tar.gz"),
        ("cifar100", "cifar-100-python.tar.gz"),
    ],
)
def test_without_network_the_message_says_which_official_files_to_get(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: Any, official: str
) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise DownloadError("no network")

    monkeypatch.setattr("resnext.data.sets.download.download", no_network)
    with pytest.raises(DataError, match=official) as caught:
        load_data(DataConfig(name=name, root=tmp_path / "new"))
    assert "no network" in str(caught.value)
    assert str(tmp_path / "new") in str(caught.value)


def write_cifar(folder: Path, kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pack a tiny set in the official layout and make torchvision expect its MD5 sums."""
    folder.mkdir(parents=True)
    inner = folder / kind.base_folder
    inner.mkdir()
    generator = np.random.default_rng(0)
    sums = {}
    label_key = "labels" if kind is datasets.CIFAR10 else "fine_labels"
    for name, _ in (*kind.train_list, *kind.test_list):
        pixels = generator.integers(0, 256, (4, 3072), dtype=np.uint8)
        content = pickle.dumps({"data": pixels, label_key: [3, 1, 2, 0]})
        (inner / name).write_bytes(content)
        sums[name] = hashlib.md5(content).hexdigest()
    names = pickle.dumps({kind.meta["key"]: ["a", "b", "c", "d"]})
    (inner / kind.meta["filename"]).write_bytes(names)
    monkeypatch.setattr(kind, "meta", {**kind.meta, "md5": hashlib.md5(names).hexdigest()})
    for part in ("train_list", "test_list"):
        monkeypatch.setattr(kind, part, [[name, sums[name]] for name, _ in getattr(kind, part)])
    archive = folder / kind.filename
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(inner, kind.base_folder)
    monkeypatch.setattr(kind, "tgz_md5", hashlib.md5(archive.read_bytes()).hexdigest())


@pytest.mark.parametrize(
    ("name", "kind"), [("cifar10", datasets.CIFAR10), ("cifar100", datasets.CIFAR100)]
)
@pytest.mark.parametrize("layout", ["archive", "unpacked"])
def test_cifar_is_read_from_its_official_archive_or_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: Any, kind: Any, layout: str
) -> None:
    root = tmp_path / "root"
    write_cifar(root, kind, monkeypatch)
    if layout == "unpacked":
        (root / kind.filename).unlink()
    else:
        for path in (root / kind.base_folder).iterdir():
            path.unlink()
    data = load_data(DataConfig(name=name, root=root))
    first = np.random.default_rng(0).integers(0, 256, (4, 3072), dtype=np.uint8)
    # The official files hold planes (red, green, blue) of 32 x 32.
    expected = first.reshape(4, 3, 32, 32).transpose(0, 2, 3, 1)
    assert np.array_equal(arrays(data.train).images_nhwc[:4].numpy(), expected)
    assert arrays(data.val).targets_n.tolist() == [3, 1, 2, 0]
    assert data.info.classes == ("a", "b", "c", "d")


def test_downloads_go_to_the_users_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder("cifar10") == tmp_path / "resnext" / "cifar10"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder("cifar10") == Path.home() / ".cache" / "resnext" / "cifar10"
