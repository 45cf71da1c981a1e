from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from command import Command

from resnext.data.config import DataConfig
from resnext.data.sets.load import load_data
from resnext.data.sets.nifti import read_nifti
from resnext.data.signals.split import SignalSplit
from resnext.errors import DataError

nib = pytest.importorskip("nibabel")


def _write(
    path: Path, values: npt.NDArray[np.float32], affine: npt.NDArray[np.float64] | None = None
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(values, np.eye(4) if affine is None else affine), path)
    return path


def _write_set(root: Path, splits: tuple[str, ...] = ("train", "val"), num: int = 6) -> Path:
    draw = np.random.default_rng(0)
    for split in splits:
        for label, level in (("dark", 0.0), ("light", 5.0)):
            for number in range(num):
                values = draw.normal(level, 1.0, (9, 8, 7)).astype(np.float32)
                _write(root / split / label / f"{number}.nii.gz", values)
    return root


def test_a_file_of_the_right_size_keeps_its_values(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(4, 4, 4)).astype(np.float32)
    for name in ("a.nii", "b.nii.gz"):
        found = read_nifti(_write(tmp_path / name, values), 4)
        assert torch.equal(found, torch.from_numpy(values)[None])


def test_axes_are_turned_to_the_standard_orientation(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(4, 4, 4)).astype(np.float32)
    flipped = np.diag([-1.0, 1.0, 1.0, 1.0])  # the first axis runs from right to left
    found = read_nifti(_write(tmp_path / "a.nii", values, flipped), 4)
    assert torch.equal(found[0], torch.from_numpy(values[::-1].copy()))


def test_larger_files_are_averaged_and_smaller_ones_interpolated(tmp_path: Path) -> None:
    ramp = np.broadcast_to(np.arange(8, dtype=np.float32)[:, None, None], (8, 8, 8)).copy()
    small = read_nifti(_write(tmp_path / "a.nii", ramp), 4)
    # means of the pairs 0 1, 2 3, 4 5, 6 7
    torch.testing.assert_close(small[0, :, 0, 0], torch.tensor([0.5, 2.5, 4.5, 6.5]))
    assert read_nifti(tmp_path / "a.nii", 12).shape == (1, 12, 12, 12)


def test_channels_are_in_the_last_dimension(tmp_path: Path) -> None:
    values = np.stack([np.zeros((4, 4, 4)), np.ones((4, 4, 4))], axis=-1).astype(np.float32)
    found = read_nifti(_write(tmp_path / "a.nii", values), 4)
    assert found.mean(dim=(1, 2, 3)).tolist() == [0.0, 1.0]


def test_what_is_no_volume_is_one_reason(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_nifti(tmp_path / "none.nii", 4)
    for name in ("a.nii", "b.nii.gz"):
        (tmp_path / name).write_bytes(b"no volume" * 100)
        with pytest.raises(DataError, match="not a readable NIfTI file"):
            read_nifti(tmp_path / name, 4)
    path = _write(tmp_path / "c.nii", np.zeros((6, 6, 6), np.float32))
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(DataError, match="not a readable NIfTI file"):
        read_nifti(path, 4)
    with pytest.raises(DataError, match="of shape 3 x 3; accepted"):
        read_nifti(_write(tmp_path / "d.nii", np.zeros((3, 3), np.float32)), 4)
    bad = np.full((3, 3, 3), np.nan, np.float32)
    with pytest.raises(DataError, match="not finite"):
        read_nifti(_write(tmp_path / "e.nii", bad), 4)


def test_a_file_that_claims_to_be_huge_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.nii", np.zeros((3, 3, 3), np.float32))
    header = bytearray(path.read_bytes())
    header[42:48] = np.array([30_000] * 3, dtype="<i2").tobytes()  # dim[1] to dim[3]
    path.write_bytes(header)
    with pytest.raises(DataError, match="30000 x 30000 x 30000; accepted"):
        read_nifti(path, 4)


def test_a_folder_becomes_cubes_with_the_statistics_of_training(tmp_path: Path) -> None:
    data = load_data(DataConfig(name="volume", root=_write_set(tmp_path), image_size_px=8))
    assert (len(data.train), len(data.val)) == (12, 12)
    assert data.info.classes == ("dark", "light")
    assert isinstance(data.train, SignalSplit)
    assert data.train.values_ncx.shape == (12, 1, 8, 8, 8)
    assert data.info.signal is not None
    assert data.info.signal.mean[0] == pytest.approx(float(data.train.values_ncx.mean()), rel=1e-4)


def test_a_folder_without_splits_is_divided(tmp_path: Path) -> None:
    root = _write_set(tmp_path, ("all",), 10) / "all"
    data = load_data(DataConfig(name="volume", root=root, image_size_px=4))
    assert (len(data.train), len(data.val)) == (18, 2)


def test_with_train_and_test_only_a_share_of_training_validates_in_every_command(
    tmp_path: Path,
) -> None:
    root = _write_set(tmp_path, ("train", "test"), 10)
    config = DataConfig(name="volume", root=root, image_size_px=4)
    trained, evaluated = load_data(config), load_data(config.replace(val_fraction=1.0))
    for data in (trained, evaluated):
        assert data.test is not None
        assert (len(data.train), len(data.val), len(data.test)) == (18, 2, 20)
        assert [data.val.name(index) for index in range(2)] == [
            trained.val.name(index) for index in range(2)
        ]


def test_a_bad_file_and_a_folder_without_volumes_are_named(tmp_path: Path) -> None:
    root = _write_set(tmp_path, num=1)
    (root / "train" / "dark" / "bad.nii").write_bytes(b"x" * 1000)
    with pytest.raises(DataError, match=r"bad\.nii: not a readable NIfTI file"):
        load_data(DataConfig(name="volume", root=root, image_size_px=4))
    (tmp_path / "none" / "a").mkdir(parents=True)
    (tmp_path / "none" / "b").mkdir()
    with pytest.raises(DataError, match="at least two are needed"):
        load_data(DataConfig(name="volume", root=tmp_path / "none"))


@pytest.mark.slow
def test_nifti_files_are_learned_evaluated_and_predicted(tmp_path: Path, command: Command) -> None:
    root = _write_set(tmp_path / "scans")
    words = ("train", "--data", f"volume:{root}", "--model", "resnext_1-1_2x4d_cifar")
    options = ("--epochs", "10", "--image-size", "6", "--batch-size", "4", "--lr", "4e-3")
    figures = command.json(*words, *options, "--out", tmp_path / "run", "--threads", "1", "--quiet")
    assert figures["top1_error"] <= 20  # guessing: 50
    again = command.json("evaluate", tmp_path / "run", "--data", f"volume:{root}")
    assert again["top1_error"] == figures["top1_error"]
    path = root / "val" / "light" / "0.nii.gz"
    rows = command.json("predict", tmp_path / "run", path)
    assert rows[0]["path"] == str(path)
    assert rows[0]["predictions"]


def test_a_split_without_files_is_one_message_and_the_case_of_endings_does_not_matter(
    tmp_path: Path,
) -> None:
    root = _write_set(tmp_path / "scans", num=2)
    path = root / "train" / "dark" / "0.nii.gz"
    path.rename(path.with_name("0.NII.GZ"))
    config = DataConfig(name="volume", root=root, image_size_px=4)
    assert len(load_data(config).train) == 4
    (root / "test" / "dark").mkdir(parents=True)
    with pytest.raises(DataError, match=r"test: no files that end in \.nii.* in class folders"):
        load_data(config)
