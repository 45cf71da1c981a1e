"""Real data sets, where they are at hand: official files and real photographs.

The folder is named by RESNEXT_DATA or is `shared/data` beside the checkout.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
import torch
from loaders import eval_loader, train_loader

from resnext.data.array_split import ArraySplit
from resnext.data.augment.config import AugmentConfig
from resnext.data.bad_files import BadFiles
from resnext.data.config import DataConfig
from resnext.data.sets.load import load_data

CPU = torch.device("cpu")
ROOT = Path(os.environ.get("RESNEXT_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
TINY_IMAGENET = ROOT / "images" / "tiny-imagenet-10.tar.gz"
CIFAR_JPEG = ROOT / "cifar10" / "cifar10-images.tar.gz"


def unpack(archive: Path, to: Path, kept: int) -> Path:
    """Unpack the first images of every folder of an archive and return the set's root."""
    counts: dict[str, int] = {}
    with tarfile.open(archive) as tar:
        members = []
        for member in tar:
            folder = str(Path(member.name).parent)
            counts[folder] = counts.get(folder, 0) + member.isfile()
            if member.isfile() and counts[folder] <= kept:
                members.append(member)
        tar.extractall(to, members, filter="data")
    return next(to.rglob("train")).parent


@pytest.mark.skipif(not TINY_IMAGENET.exists(), reason=f"{TINY_IMAGENET.name} is not at hand")
def test_ten_classes_of_tiny_imagenet_load_and_none_is_bad(tmp_path: Path) -> None:
    root = unpack(TINY_IMAGENET, tmp_path, kept=500)
    data = load_data(DataConfig(name="folder", root=root, image_size_px=56))
    assert (len(data.train), len(data.val)) == (5000, 500)
    assert len(data.info.classes) == 10
    assert torch.bincount(data.train.targets_n).tolist() == [500] * 10
    bad = BadFiles(500)
    loader = eval_loader(data.val, data.info, bad_files=bad, batch_size=100)
    images = torch.cat([batch.images_bchw for batch in loader])
    assert images.shape == (500, 3, 56, 56)
    assert not bad.rows
    # ImageNet's statistics roughly fit any sample of its photographs.
    assert float(images.mean().abs()) < 0.4
    assert 0.7 < float(images.std()) < 1.5


@pytest.mark.skipif(not CIFAR_JPEG.exists(), reason=f"{CIFAR_JPEG.name} is not at hand")
def test_cifar_as_a_tree_of_jpegs_trains_with_the_padded_crop(tmp_path: Path) -> None:
    root = unpack(CIFAR_JPEG, tmp_path, kept=12)
    data = load_data(DataConfig(name="folder", root=root, image_size_px=32))
    assert (len(data.train), len(data.val)) == (110, 10)  # the test split is not trained on
    assert torch.bincount(data.val.targets_n).tolist() == [1] * 10
    augment = AugmentConfig(crop="pad", pad_px=4, flip=True)
    loader = train_loader(data.train, data.info, augment, batch_size=40)
    batches = list(loader.epoch(0))
    assert [batch.images_bchw.shape[0] for batch in batches] == [36, 37, 37]
    assert {batch.images_bchw.shape[1:] for batch in batches} == {(3, 32, 32)}
    seen = torch.cat([batch.indices_b for batch in batches])
    assert sorted(seen.tolist()) == list(range(110))


def debian_folder() -> Path | None:
    """Return where Debian's package of the official Fashion-MNIST files put them."""
    if shutil.which("dpkg") is None:
        return None
    listing = subprocess.run(
        ["dpkg", "-L", "dataset-fashion-mnist"], capture_output=True, text=True, check=False
    )
    files = [Path(line) for line in listing.stdout.splitlines() if line.endswith(".gz")]
    return next((file.parent for file in files if file.name.startswith("train-images")), None)


@pytest.mark.skipif(debian_folder() is None, reason="dataset-fashion-mnist is not installed")
def test_fashion_mnist_has_its_published_counts_and_statistics() -> None:
    data = load_data(DataConfig(name="fashion-mnist", root=debian_folder()))
    assert isinstance(data.train, ArraySplit)
    assert torch.bincount(data.train.targets_n).tolist() == [6000] * 10
    assert torch.bincount(data.val.targets_n).tolist() == [1000] * 10
    shares = data.train.images_nhwc.double() / 255
    assert float(shares.mean()) == pytest.approx(data.info.mean[0], abs=5e-4)
    assert float(shares.std()) == pytest.approx(data.info.std[0], abs=5e-4)
