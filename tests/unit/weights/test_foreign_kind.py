"""Files that are often taken for weights are named for what they are, in one message."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

import resnext
from resnext.errors import CheckpointError
from resnext.weights.source import open_weights


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("x.onnx", b"\x08\x08\x12\x07pytorch", "ONNX"),
        ("X.ONNX", b"", "ONNX"),
        ("x.xml", b'<?xml version="1.0"?><net/>', "OpenVINO"),
        ("w.pth", b'<?xml version="1.0"?><net/>', "OpenVINO"),
        ("x.engine", b"ftrt\0\0", "TensorRT"),
        ("x.tflite", b"\x1c\0\0\0TFL3", "TensorFlow Lite"),
        ("w.bin", b"\x1c\0\0\0TFL3", "TensorFlow Lite"),
        ("x.h5", b"\x89HDF\r\n\x1a\n", "HDF5"),
        ("w.ckpt", b"\x89HDF\r\n\x1a\n", "HDF5"),
        ("x.pb", b"\n\0", "TensorFlow"),
        ("x.mlmodel", b"\x08\x01", "Core ML"),
        ("w.npy", b"\x93NUMPY\x01\0", "NumPy"),
        ("x.msgpack", b"\x81\xa6", "Flax"),
    ],
)
def test_a_file_of_another_kind_is_named(
    tmp_path: Path, name: str, content: bytes, kind: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"{name}: is .*{kind}.*give the run or weight file"):
        open_weights(tmp_path / name)


def test_an_exported_file_of_ours_names_the_verbs_that_take_it(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"\x08\x08")
    with pytest.raises(CheckpointError, match="`resnext predict` and `resnext evaluate`"):
        open_weights(tmp_path / "x.onnx")


def test_archives_are_told_apart_by_their_entries(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros(2))
    (tmp_path / "a.npz").rename(tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match="is a file of NumPy"):
        resnext.load(tmp_path / "a.pth")
    with zipfile.ZipFile(tmp_path / "b.pth", "w") as archive:
        archive.writestr("b/archive_format", "pt2")
    with pytest.raises(CheckpointError, match=r"torch\.export"):
        resnext.load(tmp_path / "b.pth")


def test_a_state_dict_opens_under_the_ending_of_an_exported_file(tmp_path: Path) -> None:
    torch.save(resnext.create_model("resnet18").state_dict(), tmp_path / "w.plan")
    assert resnext.load(tmp_path / "w.plan")


@pytest.mark.parametrize("name", ["nothing.onnx", "nothing.tflite", "nothing.th"])
def test_a_missing_file_of_any_such_ending_is_missing(name: str) -> None:
    with pytest.raises(CheckpointError, match=f"{name}: there is no such file"):
        resnext.load(name)


def test_folders_of_another_kind_and_folders_of_files_are_named(tmp_path: Path) -> None:
    for name in ("saved", "m.mlpackage", "downloads"):
        (tmp_path / name).mkdir()
    (tmp_path / "saved" / "saved_model.pb").touch()
    (tmp_path / "downloads" / "resnet.pth").touch()
    with pytest.raises(CheckpointError, match="saved: is a file of TensorFlow"):
        resnext.load(tmp_path / "saved")
    with pytest.raises(CheckpointError, match="Core ML"):
        resnext.load(tmp_path / "m.mlpackage")
    with pytest.raises(CheckpointError, match=r"downloads: is not a run, but contains resnet\.pth"):
        resnext.load(tmp_path / "downloads")
