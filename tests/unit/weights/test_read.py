"""Files are told by their first bytes, and nothing in them is executed."""

import argparse
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from resnext.errors import CheckpointError
from resnext.weights.read import kind_of, read_file
from resnext.weights.unwrap import unwrap

STATE = {"conv1.weight": torch.arange(6.0).reshape(2, 3), "n": torch.tensor(3)}


def equal(found: dict[str, torch.Tensor]) -> bool:
    return found.keys() == STATE.keys() and all(torch.equal(found[n], STATE[n]) for n in STATE)


@pytest.mark.parametrize("is_zip", [True, False])
def test_torch_files_of_both_formats_are_read(tmp_path: Path, is_zip: bool) -> None:
    path = tmp_path / "torch-all-the-same.safetensors"
    torch.save(OrderedDict(STATE), path, _use_new_zipfile_serialization=is_zip)
    assert kind_of(path) == "torch"
    assert equal(read_file(path)[1].tensors)


def test_safetensors_are_read_whatever_the_suffix(tmp_path: Path) -> None:
    save_file(STATE, tmp_path / "w.pth")
    assert kind_of(tmp_path / "w.pth") == "safetensors"
    assert equal(read_file(tmp_path / "w.pth")[1].tensors)


def test_the_command_line_that_a_training_saved_is_no_obstacle(tmp_path: Path) -> None:
    saved = {"model": STATE, "args": argparse.Namespace(lr=0.1), "optimizer": {"state": {}}}
    torch.save(saved, tmp_path / "w.pth")
    assert equal(read_file(tmp_path / "w.pth")[1].tensors)


class Evil:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("executed"),))


@pytest.mark.parametrize("is_zip", [True, False])
def test_code_in_a_torch_file_is_refused_and_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_zip: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"x": Evil()}, "w.pth", _use_new_zipfile_serialization=is_zip)
    with pytest.raises(CheckpointError, match=r"more than tensors.*not opened"):
        read_file(Path("w.pth"))
    assert not Path("executed").exists()


def test_code_in_a_plain_pickle_is_refused_and_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("w.pkl").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(CheckpointError, match="plain Python pickle"):
        read_file(Path("w.pkl"))
    assert not Path("executed").exists()


def test_a_whole_pickled_module_is_refused_with_the_remedy(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2), tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match=r"Linear.*torch\.save\(model\.state_dict"):
        read_file(tmp_path / "w.pth")


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_a_torchscript_program_is_refused_as_one(tmp_path: Path) -> None:
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), tmp_path / "w.pt")
    with pytest.raises(CheckpointError, match="TorchScript"):
        read_file(tmp_path / "w.pt")


@pytest.mark.parametrize("content", [b"", b"<html>404</html>", b"\0" * 50, b"PK\x03\x04 cut"])
def test_what_is_no_weight_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "w.pth"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=str(path)):
        read_file(path)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, kind: str, share: float) -> None:
    path = tmp_path / "w"
    big = {"x": torch.randn(300)}
    if kind == "safetensors":
        save_file(big, path)
    else:
        torch.save(big, path, _use_new_zipfile_serialization=kind == "zip")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(CheckpointError, match=str(path)):
        read_file(path)


def test_torch7s_text_form_is_explained(tmp_path: Path) -> None:
    (tmp_path / "w.t7").write_text("4\n1\n3\nV 1\n13\nnn.Sequential\n")
    with pytest.raises(CheckpointError, match=r"w\.t7.*ASCII"):
        read_file(tmp_path / "w.t7")


def test_a_missing_file_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="there is no such file"):
        read_file(tmp_path / "nothing.pth")


@pytest.mark.parametrize(
    "place",
    ["state_dict", "model", "model_state", "model_state_dict", "net", "weights", "state_dict_ema"],
)
def test_the_state_dict_is_found_where_libraries_put_it(place: str) -> None:
    assert equal(unwrap({"epoch": 3, place: STATE, "optimizer": {"state": {0: {}}}}))


def test_averaged_weights_are_preferred() -> None:
    other = {name: tensor + 1 for name, tensor in STATE.items()}
    assert equal(unwrap({"model": other, "model_ema": STATE}))
    assert equal(unwrap({"state_dict": other, "state_dict_ema": STATE}))


def test_an_object_without_tensors_says_what_it_is() -> None:
    with pytest.raises(CheckpointError, match="entries named epoch, loss"):
        unwrap({"epoch": 1, "loss": 0.5})
    with pytest.raises(CheckpointError, match="a list"):
        unwrap([1])
