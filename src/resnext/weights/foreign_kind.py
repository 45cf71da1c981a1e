"""Identifies files and folders that are not weights, and suggests what to do instead."""

from __future__ import annotations

import zipfile
from contextlib import suppress
from pathlib import Path

_EXPORTED = "an exported network ({}), which has no weights to load"
_OTHER = "a file of {}"
_SUFFIXES = {
    ".onnx": _EXPORTED.format("ONNX"),
    ".xml": _EXPORTED.format("OpenVINO"),
    ".pt2": _EXPORTED.format("torch.export"),
    ".torchscript": _EXPORTED.format("TorchScript"),
    ".engine": _EXPORTED.format("TensorRT"),
    ".plan": _EXPORTED.format("TensorRT"),
    ".trt": _EXPORTED.format("TensorRT"),
    ".tflite": _EXPORTED.format("TensorFlow Lite"),
    ".mlmodel": _EXPORTED.format("Core ML"),
    ".mlpackage": _EXPORTED.format("Core ML"),
    ".h5": _OTHER.format("Keras or HDF5"),
    ".hdf5": _OTHER.format("Keras or HDF5"),
    ".keras": _OTHER.format("Keras"),
    ".pb": _OTHER.format("TensorFlow"),
    ".npz": _OTHER.format("NumPy"),
    ".npy": _OTHER.format("NumPy"),
    ".pdparams": _OTHER.format("PaddlePaddle"),
    ".msgpack": _OTHER.format("Flax"),
    ".caffemodel": _OTHER.format("Caffe"),
    ".gguf": _OTHER.format("GGUF"),
}
# By its first bytes, whatever its name is.
_STARTS = (
    (0, b"\x89HDF\r\n", ".h5"),
    (0, b"\x93NUMPY", ".npy"),
    (0, b"<?xml", ".xml"),
    (0, b"GGUF", ".gguf"),
    (4, b"TFL3", ".tflite"),
)
_MEMBERS = (
    ("archive_format", ".pt2"),
    ("archive_version", ".pt2"),
    ("metadata.json", ".keras"),
)
_OURS = (".onnx", ".xml", ".pt2", ".torchscript")

SUFFIXES = frozenset(_SUFFIXES)
"""Suffixes of other files, so that a missing one is still treated as a file."""


def describe_kind(path: Path) -> str:
    """Describe a file or folder if it is of a kind often mistaken for weights.

    Args:
        path: An existing file or folder.

    Returns:
        What it is and what to do, to follow its name in a message; empty if unknown.
    """
    suffix = _suffix(path)
    if suffix is None:
        return ""
    if suffix in _OURS:
        advice = (
            "`resnext predict` and `resnext evaluate` accept such a file; here, give the run or "
            "weight file it was exported from"
        )
    else:
        advice = (
            "give the run or weight file it was made from, or save the network's state dict with "
            "torch.save or safetensors"
        )
    return f"is {_SUFFIXES[suffix]}; {advice}"


def _suffix(path: Path) -> str | None:
    """Return the usual suffix of files of this kind."""
    if path.is_dir():
        if (path / "saved_model.pb").exists():
            return ".pb"
        return path.suffix.lower() if path.suffix.lower() in _SUFFIXES else None
    with path.open("rb") as file:
        start = file.read(64)
    for offset, magic, suffix in _STARTS:
        if start[offset:].startswith(magic):
            return suffix
    if start.startswith(b"PK"):
        return _suffix_of_archive(path)
    return path.suffix.lower() if path.suffix.lower() in _SUFFIXES else None


def _suffix_of_archive(path: Path) -> str | None:
    """Identify archives by their entries; torch.save archives are not among them."""
    names: list[str] = []
    # A damaged archive raises any kind of error; its reader explains it.
    with suppress(Exception), zipfile.ZipFile(path) as archive:
        names = [name.rpartition("/")[2] for name in archive.namelist()]
    if names and all(name.endswith(".npy") for name in names):
        return ".npz"
    return next((suffix for name, suffix in _MEMBERS if name in names), None)
