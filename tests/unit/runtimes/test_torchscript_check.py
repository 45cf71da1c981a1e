"""A TorchScript file is opened only if it computes what a network does, of tensors it holds."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_runtimes import export

from resnext.errors import CheckpointError
from resnext.runtimes.open import open_exported

Entries = dict[str, bytes]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(tmp_path_factory.mktemp("whole") / "net.torchscript")


def in_code(old: str, new: str) -> Callable[[Entries], None]:
    def change(entries: Entries) -> None:
        (name,) = (name for name in entries if name.endswith(".py"))
        assert old.encode() in entries[name]
        entries[name] = entries[name].replace(old.encode(), new.encode(), 1)

    return change


def in_constants(old: bytes, new: bytes) -> Callable[[Entries], None]:
    def change(entries: Entries) -> None:
        assert old in entries["constants.pkl"]
        entries["constants.pkl"] = entries["constants.pkl"].replace(old, new, 1)

    return change


def add(name: str) -> Callable[[Entries], None]:
    return lambda entries: entries.update({name: b"x"})


def cut_constant(entries: Entries) -> None:
    entries["constants/2"] = entries["constants/2"][:-4]


HOSTILE = {
    "file": (in_code("torch.relu_(", 'torch.save("x", '), r"calls 'torch\.save'"),
    "operator": (in_code("torch.relu_(", "torch.from_file("), r"calls 'torch\.from_file'"),
    "loop": (in_code("    return ", "    while True:\n      pass\n    return "), "has 'while'"),
    "package": (in_code("torch.relu_(", "ops.aten.save("), r"'ops\.aten\.save'"),
    "number": (in_code("[1, 1]", "[999999999, 1]"), "a number"),
    "entry": (add("model.json"), "an entry 'model.json'"),
    "code": (add("code/../x.py"), "an entry"),
    # a place in the reader's table of objects, which then has 3 GB
    "table": (in_constants(b"q\x02", b"r\xff\xff\xff\x0b"), "a position 201,326,591"),
    "storage": (cut_constant, "which is missing"),
    "tensor": (in_constants(b"K\x01K\x03K\x01K\x01t", b"K\x01K\x03K\xffK\xfft"), "larger than its"),
}


@pytest.mark.parametrize(("change", "message"), HOSTILE.values(), ids=HOSTILE)
def test_what_an_export_does_not_hold_is_refused_before_torch_opens_it(
    change: Callable[[Entries], None],
    message: str,
    whole: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with zipfile.ZipFile(whole) as archive:
        entries = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
    change(entries)
    with zipfile.ZipFile(tmp_path / "net.torchscript", "w") as archive:
        for name, content in entries.items():
            archive.writestr(f"net/{name}", content)
    monkeypatch.setattr(torch.jit, "load", lambda *_: pytest.fail("was opened"))
    with pytest.raises(CheckpointError, match=rf"net\.torchscript: refused: .*{message}"):
        open_exported(tmp_path / "net.torchscript")


def test_a_whole_file_is_opened(whole: Path) -> None:
    assert open_exported(whole).run(np.zeros((1, 8, 8, 3), np.uint8)).shape == (1, 3)
