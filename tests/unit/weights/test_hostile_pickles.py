"""Files of torch.save that ask for more than they hold."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch._utils import _rebuild_tensor_v2

from resnext.errors import CheckpointError
from resnext.model.config import ResNeXtConfig
from resnext.model.create import create_model
from resnext.weights.read import read_file
from resnext.weights.source import open_weights
from resnext.weights.unwrap import unwrap


class Claims:
    """Pickles as a tensor over four numbers whose sizes and strides are chosen freely."""

    def __init__(self, sizes: tuple[int, ...], strides: tuple[int, ...]) -> None:
        self.sizes, self.strides = sizes, strides

    def __reduce__(self) -> tuple[Any, ...]:
        storage: Any = torch.zeros(4).storage()  # type: ignore[no-untyped-call]
        return _rebuild_tensor_v2, (storage, 0, self.sizes, self.strides, False, {})


@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")
@pytest.mark.parametrize("is_zip", [True, False])
@pytest.mark.parametrize(
    ("sizes", "strides", "message"),
    [
        ((10**6,), (1,), "cannot be read by torch.load"),
        ((10**15,), (1,), "cannot be read by torch.load"),
        ((10**6, 10**5), (0, 0), "repeats values"),
        ((2**62, 2**62), (1, 1), "cannot be read by torch.load"),
        ((-4,), (1,), "cannot be read by torch.load"),
    ],
)
def test_tensors_larger_than_their_file_are_refused(
    tmp_path: Path, sizes: tuple[int, ...], strides: tuple[int, ...], message: str, is_zip: bool
) -> None:
    path = tmp_path / "w.pth"
    torch.save({"x": Claims(sizes, strides)}, path, _use_new_zipfile_serialization=is_zip)
    with pytest.raises(CheckpointError, match=rf"w\.pth: .*{message}"):
        read_file(path)


def test_one_storage_for_many_tensors_is_refused(tmp_path: Path) -> None:
    one = torch.zeros(10_000)
    torch.save({f"t{number}": one for number in range(10)}, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match="claim 400,000 bytes"):
        read_file(tmp_path / "w.pth")


def test_tied_tensors_and_parameters_are_read(tmp_path: Path) -> None:
    one = nn.Parameter(torch.randn(100))
    torch.save({"a": one, "b": one}, tmp_path / "w.pth")
    found = read_file(tmp_path / "w.pth")[1].tensors
    assert torch.equal(found["a"], found["b"])
    assert not found["a"].requires_grad


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.eye(3).to_sparse(),
        lambda: torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8),
        lambda: torch.ones(3, device="meta"),
    ],
    ids=["sparse", "quantised", "meta"],
)
def test_tensors_that_are_not_plain_are_refused(
    tmp_path: Path, make: Callable[[], torch.Tensor]
) -> None:
    torch.save({"conv1.weight": make()}, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match=r"w\.pth: .*(plain tensor|torch\.load)"):
        read_file(tmp_path / "w.pth")


def test_mappings_that_are_referred_to_a_thousand_times_are_looked_into_once() -> None:
    looked = 0

    class Counting(dict[str, Any]):
        def values(self) -> Any:
            nonlocal looked
            looked += 1
            return super().values()

    level = Counting(a=1)
    for _ in range(3):
        level = Counting({f"k{number}": level for number in range(100)})
    with pytest.raises(CheckpointError, match="contains no named tensors"):
        unwrap({"model": level, "net": level})
    assert looked < 100


def test_a_key_that_takes_for_ever_to_write_out_is_not_written() -> None:
    key: Any = ()
    for _ in range(18):
        key = (key, key)
    with pytest.raises(CheckpointError, match=r"entries named epoch$"):
        unwrap({key: torch.ones(1), "epoch": 1})


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [{"cardinality": 9_000}, {"blocks_per_stage": (9_999,)}])
def test_names_of_more_parts_than_tensors_build_nothing(
    tmp_path: Path, sizes: dict[str, Any]
) -> None:
    config = ResNeXtConfig(stem="cifar", form="a", blocks_per_stage=(1,), cardinality=2)
    state = create_model(config).state_dict()
    if "cardinality" in sizes:
        state |= {f"layer1.0.paths.{n}.x": torch.zeros(1) for n in range(2, 9_000)}
        state |= {f"layer1.{n}.conv3.weight": torch.zeros(1) for n in range(1, 300)}
    else:
        state["layer1.9998.conv3.weight"] = torch.zeros(1)
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(
        CheckpointError, match=r"w\.pth: .*(blocks or paths|more blocks than|block numbers exceed)"
    ):
        open_weights(tmp_path / "w.pth")


def test_a_flipped_bit_in_a_zip_file_is_detected(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    torch.save({"x": torch.full((64,), 1.5)}, path)
    changed = bytearray(path.read_bytes())
    changed[changed.index(b"\0\0\xc0\x3f" * 10) + 21] ^= 1
    path.write_bytes(changed)
    with pytest.raises(
        CheckpointError, match=r"has changed since it was written \(the checksum differs\)"
    ):
        read_file(path)


def test_a_pickle_cut_into_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    torch.save({"x": torch.ones(3)}, path, _use_new_zipfile_serialization=False)
    whole = path.read_bytes()
    for size in range(len(pickle.dumps(1)), len(whole) - 20, 7):  # values end the file
        path.write_bytes(whole[:size] + b"q" * 3)
        with pytest.raises(CheckpointError, match=r"w\.pth: [^\n]*$"):
            read_file(path)
