"""The Torch7 reader: every kind of value, sharing, both sizes of long."""

import math
import os
import tracemalloc
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch7_writer import Function, Instance, Storage, TdsHash, TdsVec, save_torch7, torch7_bytes

from resnext.weights.torch7.read import read_torch7
from resnext.weights.torch7.values import LuaFunction, ObjectKey, TorchObject

DTYPES = (
    *(torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64),
    *(torch.float16, torch.float32, torch.float64),
)

scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats() | st.text()
keys = st.integers(2, 10**6) | st.booleans() | st.text() | st.floats(0.1, 0.9)
values = st.recursive(scalars, lambda inner: st.dictionaries(keys, inner, max_size=4))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "model.t7"


@pytest.fixture(scope="module")
def module_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("t7") / "model.t7"


@pytest.mark.slow
@given(value=values)
def test_plain_values_and_tables_come_back(module_file: Path, value: Any) -> None:
    assert repr(read_torch7(save_torch7(module_file, value))) == repr(whole_as_int(value))


def whole_as_int(value: Any) -> Any:
    """Lua has one kind of numbers; the reader gives whole ones as int."""
    if isinstance(value, dict):
        return {key: whole_as_int(item) for key, item in value.items()}
    if isinstance(value, float) and value.is_integer() and abs(value) <= 2**53:
        return int(value)
    return value


def test_bytes_that_are_no_utf8_come_back_as_surrogates(file: Path) -> None:
    text = read_torch7(save_torch7(file, b"caf\xe9"))
    assert text.encode(errors="surrogateescape") == b"caf\xe9"


def test_a_list_is_a_table_from_one(file: Path) -> None:
    assert read_torch7(save_torch7(file, ["a", "b"])) == {1: "a", 2: "b"}


@pytest.mark.parametrize("on_gpu", [False, True], ids=["cpu", "cuda"])
@pytest.mark.parametrize("long_bytes", [4, 8])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_tensors_and_storages_of_all_types_come_back(
    file: Path, dtype: torch.dtype, long_bytes: Literal[4, 8], on_gpu: bool
) -> None:
    tensor = torch.arange(24).to(dtype).reshape(2, 3, 4)
    save_torch7(file, [tensor, Storage(torch.arange(5).to(dtype))], long_bytes, on_gpu=on_gpu)
    for said in (None, long_bytes):
        read = read_torch7(file, long_bytes=said)
        assert read[1].dtype == read[2].dtype == dtype
        assert torch.equal(read[1], tensor)
        assert torch.equal(read[2], torch.arange(5).to(dtype))


def test_views_keep_their_strides_and_share_their_storage(file: Path) -> None:
    whole = torch.arange(12.0).reshape(3, 4)
    read = read_torch7(save_torch7(file, [whole, whole.t(), whole[1:, 2]]))
    assert torch.equal(read[2], whole.t())
    assert read[2].stride() == (1, 4)
    assert torch.equal(read[3], whole[1:, 2])
    read[1][1, 2] = -1
    assert read[2][2, 1] == read[3][0] == -1


def test_a_tensor_may_stand_before_the_storage_that_it_views(file: Path) -> None:
    whole = torch.arange(4.0)
    read = read_torch7(save_torch7(file, [whole, Storage(whole)]))
    read[2][0] = 7
    assert read[1][0] == 7


def test_empty_tensors_and_storages_come_back(file: Path) -> None:
    read = read_torch7(save_torch7(file, [torch.empty(0), Storage(torch.empty(0))]))
    assert read[1].shape == read[2].shape == (0,)


def test_an_object_that_occurs_twice_is_one_object(file: Path) -> None:
    inner, module = {"x": 1}, Instance("nn.ReLU")
    read = read_torch7(save_torch7(file, [inner, inner, module, module]))
    assert read[1] is read[2]
    assert read[3] is read[4]


def test_tables_objects_and_functions_may_hold_themselves(file: Path) -> None:
    table: dict[Any, Any] = {}
    table["self"] = table
    table[ObjectKey(table)] = "as a key"
    module = Instance("nn.Loop")
    module.fields["self"] = module
    function = Function(b"\x1bLJ")
    function.upvalues = [function]
    read = read_torch7(save_torch7(file, [table, module, function]))
    assert read[1]["self"] is read[1]
    (key,) = (key for key in read[1] if isinstance(key, ObjectKey))
    assert key.target is read[1]
    assert read[2].fields["self"] is read[2]
    assert read[3].upvalues[1] is read[3]
    assert len(repr(read)) < 1000


def test_a_class_comes_back_as_its_name_and_fields(file: Path) -> None:
    read = read_torch7(save_torch7(file, Instance("nn.Linear", {"weight": torch.ones(2, 3)})))
    assert isinstance(read, TorchObject)
    assert read.class_name == "nn.Linear"
    assert read.fields["weight"].shape == (2, 3)
    assert repr(read) == "TorchObject('nn.Linear', 1 fields)"


def test_files_from_before_versions_are_read(file: Path) -> None:
    read = read_torch7(save_torch7(file, Instance("nn.Linear", {"a": 1}, version=None)))
    assert (read.class_name, read.fields) == ("nn.Linear", {"a": 1})


def test_a_parallel_table_is_read_with_what_stands_before_its_fields(file: Path) -> None:
    fields = {"modules": [Instance("nn.Sequential")]}
    new = Instance("nn.DataParallelTable", fields, version=3, before=([1, 2],))
    old = Instance("nn.DataParallelTable", fields, version=1)
    for wrapper in (new, old):
        read = read_torch7(save_torch7(file, wrapper))
        assert read.fields["modules"][1].class_name == "nn.Sequential"


@pytest.mark.parametrize("kind", [6, 7, 8])
def test_functions_are_passed_over_and_their_upvalues_kept(file: Path, kind: int) -> None:
    function = Function(b"\x1bLJ\x01 os.exit()", [{"name": "n", "value": 3}], kind)
    read = read_torch7(save_torch7(file, [function, "behind"]))
    assert isinstance(read[1], LuaFunction)
    assert read[1].num_bytes == 14
    assert read[1].upvalues == {1: {"name": "n", "value": 3}}
    assert read[2] == "behind"


def test_the_containers_of_tds_are_tables(file: Path) -> None:
    read = read_torch7(save_torch7(file, [TdsHash({"a": 1, 5: "b"}), TdsVec(["x", None, "y"])]))
    assert read[1] == {"a": 1, 5: "b"}
    assert read[2] == {1: "x", 2: None, 3: "y"}


def test_long_chains_are_read_without_recursion(file: Path) -> None:
    # The writer recurses, so the chain is put together by hand: each link is in the one before.
    link = torch7_bytes(Instance("nn.Node", {"next": None}))[:-4]
    out = bytearray()
    for number in range(4_000):
        out += renumbered(link, 2 * number + 1)
    file.write_bytes(bytes(out) + torch7_bytes("end"))
    read, length = read_torch7(file), 0
    while read != "end":
        read, length = read.fields["next"], length + 1
    assert length == 4_000


def renumbered(link: bytes, first: int) -> bytes:
    """Give a link's object and table other indices than 1 and 2."""
    table = link.index(b"nn.Node") + 7
    return (
        link[:4]
        + first.to_bytes(4, "little")
        + link[8 : table + 4]
        + (first + 1).to_bytes(4, "little")
        + link[table + 8 :]
    )


def test_numbers_beyond_exact_integers_stay_floats(file: Path) -> None:
    for number in (1e300, 0.5, math.inf):
        read = read_torch7(save_torch7(file, number))
        assert isinstance(read, float)
        assert read == number
    assert math.isnan(read_torch7(save_torch7(file, math.nan)))


def test_a_shared_tensor_takes_memory_once(file: Path) -> None:
    big = torch.zeros(100_000)
    save_torch7(file, [big, *(big[: 10_000 + n] for n in range(200))])
    tracemalloc.start()
    try:
        read_torch7(file)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * file.stat().st_size


REAL_FILES = os.environ.get("RESNEXT_T7_FILES")


@pytest.mark.skipif(not REAL_FILES, reason="RESNEXT_T7_FILES names no folder of .t7 files")
def test_real_files_are_read() -> None:
    files = sorted(Path(str(REAL_FILES)).rglob("*.t7"))
    assert files, f"{REAL_FILES} holds no .t7 files"
    for path in files:
        read_torch7(path)
