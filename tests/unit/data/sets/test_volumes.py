from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made_series import write_volumes

from resnext.data.array_split import ArraySplit
from resnext.data.config import DataConfig
from resnext.data.sets.volumes import load_volumes
from resnext.data.signals.split import SignalSplit
from resnext.data.split import DataSet
from resnext.errors import ConfigError, DataError


def _load(path: Path, **changes: Any) -> DataSet:
    return load_volumes(path, DataConfig(name="volume", root=path, **changes))


def _write(path: Path, images: np.ndarray, labels: np.ndarray, **others: np.ndarray) -> Path:
    arrays: dict[str, Any] = {"train_images": images, "train_labels": labels}
    arrays |= {"val_images": images, "val_labels": labels, **others}
    np.savez(path, **arrays)
    return path


def test_splits_classes_and_statistics_are_those_of_the_file(tmp_path: Path) -> None:
    path = write_volumes(tmp_path / "x.npz", side=5, num=8)
    data = _load(path)
    assert isinstance(data.train, SignalSplit)
    assert data.test is not None
    assert (len(data.train), len(data.val), len(data.test)) == (8, 8, 8)
    assert (data.info.classes, data.info.targets) == (("0", "1"), "class")
    stored = np.load(path)
    np.testing.assert_array_equal(data.train.values_ncx[:, 0], stored["train_images"])
    np.testing.assert_array_equal(data.train.targets_n, stored["train_labels"][:, 0])
    signal = data.info.signal
    assert signal is not None
    shares = stored["train_images"] / 255
    assert (signal.kind, signal.shape) == ("volume", "1 x 5 x 5 x 5")
    assert signal.mean[0] == pytest.approx(shares.mean(), rel=1e-5)
    assert signal.std[0] == pytest.approx(shares.std(), rel=1e-5)


def test_channels_stand_behind_and_whole_numbers_become_real_ones(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    images = draw.integers(-5, 5, (4, 6, 6, 6, 2)).astype(np.int32)
    data = _load(_write(tmp_path / "x.npz", images, np.array([0, 1, 0, 1])))
    assert isinstance(data.train, SignalSplit)
    assert data.train.values_ncx.shape == (4, 2, 6, 6, 6)
    np.testing.assert_array_equal(data.train.values_ncx[:, 1], images[..., 1])


def test_pictures_become_an_ordinary_set_of_images(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
    data = _load(_write(tmp_path / "x.npz", images, np.array([[0], [1], [2], [1]])))
    assert isinstance(data.train, ArraySplit)
    assert data.info.signal is None
    assert (data.info.in_channels, data.info.image_size_px) == (3, 8)
    assert data.info.mean == pytest.approx((images / 255).mean((0, 1, 2)), rel=1e-5)


def test_several_labels_are_kept(tmp_path: Path) -> None:
    labels = np.array([[0, 1, 1], [1, 0, 0]])
    data = _load(_write(tmp_path / "x.npz", np.zeros((2, 4, 4, 4), np.uint8), labels))
    assert data.info.targets == "labels"
    assert torch.equal(data.train.targets_n, torch.tensor(labels, dtype=torch.int8))


CUBES = np.zeros((2, 4, 4, 4), np.uint8)
PAIR = np.array([0, 1])


@pytest.mark.parametrize(
    ("images", "labels", "others", "words"),
    [
        (np.zeros((2, 4, 4, 5), np.uint8), PAIR, {}, "all sides of an image are the same"),
        (np.zeros((2, 4), np.uint8), PAIR, {}, "accepted are train_images"),
        (CUBES, np.array([0, -1]), {}, "classes -1 to 0"),
        (CUBES, np.array([0, 0]), {}, "at least two classes"),
        (CUBES, np.array([0.5, 1]), {}, "whole numbers"),
        (CUBES, np.array([0, 1, 1]), {}, "2 train_images and 3 train_labels"),
        (CUBES, np.array([[0, 2], [1, 1]]), {}, "must be 0 or 1"),
        (np.full((2, 4, 4, 4), np.nan, np.float32), PAIR, {}, "not finite"),
        (CUBES, PAIR, {"val_images": np.zeros((2, 3, 3, 3), np.uint8)}, "all must be the same"),
    ],
)
def test_other_arrays_are_refused(
    tmp_path: Path,
    images: np.ndarray,
    labels: np.ndarray,
    others: dict[str, np.ndarray],
    words: str,
) -> None:
    path = _write(tmp_path / "x.npz", images, labels, **others)
    with pytest.raises(DataError, match=words):
        _load(path)


def test_a_file_without_a_second_split_or_of_another_size_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", train_images=CUBES, train_labels=PAIR)
    with pytest.raises(DataError, match="the same for val, test or both"):
        _load(tmp_path / "x.npz")
    path = _write(tmp_path / "y.npz", CUBES, PAIR)
    with pytest.raises(ConfigError, match="has sides of 4"):
        _load(path, image_size_px=8)


def test_a_bomb_is_refused_before_memory_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _write(tmp_path / "x.npz", CUBES, PAIR)
    monkeypatch.setattr("resnext.data.sets.volumes.MAX_VOXELS", 127)
    with pytest.raises(DataError, match="128 values, more than the 127 accepted"):
        _load(path)
