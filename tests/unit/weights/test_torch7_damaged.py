"""Damaged and hostile Torch7 files: our error or a result, in bounded memory, always."""

import os
import struct
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, Literal

import pytest
import torch
from effort import Effort
from torch7_network import CIFAR, made_tree
from torch7_writer import Function, Instance, Storage, TdsHash, TdsVec, torch7_bytes

from resnext.errors import CheckpointError
from resnext.weights.families.torch7 import from_torch7
from resnext.weights.torch7.read import read_torch7

BOUND_PER_BYTE = 64
"""Memory for one byte of a file: an empty table takes 12 of them, and a dict and its entry."""

BOUND_BASE = 2**18
"""Buffers and error messages, whatever the size."""


def bases() -> list[bytes]:
    """Small files that have between them every kind of object."""
    whole = torch.arange(12.0).reshape(3, 4)
    module = Instance("nn.Sequential", {"modules": [Instance("nn.ReLU"), Instance("nn.View")]})
    module.fields["self"] = module
    table: dict[Any, Any] = {"a": 1, 2: True, "deep": {"er": {"est": None}}}
    values: list[Any] = [
        [whole, whole.t(), whole[1:, 2], Storage(whole), torch.empty(0)],
        [torch.arange(3).to(dtype) for dtype in (torch.uint8, torch.int64, torch.float16)],
        module,
        [table, table, [1.5, "text", b"\xff", False]],
        [Function(b"\x1bLJ", [{"name": "n", "value": 3}], kind) for kind in (6, 7, 8)],
        [TdsHash({"a": 1}), TdsVec(["x", None])],
        Instance("nn.DataParallelTable", {"modules": [module]}, version=3, before=([1, 2],)),
    ]
    sizes: tuple[Literal[4, 8], ...] = (8, 4)
    return [torch7_bytes(value, size) for value in values for size in sizes]


def flip(data: bytearray, random: Random) -> None:
    data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def overwrite(data: bytearray, random: Random) -> None:
    kind = random.choice("iqd")
    edges = (0, 1, -1, 2**31 - 1, -(2**31), random.randrange(-300, 300), random.getrandbits(31))
    value = random.choice((*edges, 2**62, -(2**63)) if kind != "i" else edges)
    place = random.randrange(len(data))
    data[place : place + struct.calcsize(kind)] = struct.pack(f"<{kind}", value)


def truncate(data: bytearray, random: Random) -> None:
    del data[random.randrange(len(data)) :]


def insert(data: bytearray, random: Random) -> None:
    place = random.randrange(len(data))
    data[place:place] = random.randbytes(random.randrange(1, 20))


def duplicate(data: bytearray, random: Random) -> None:
    start, place = random.randrange(len(data)), random.randrange(len(data))
    chunk = data[start : start + random.randrange(1, 80)]
    data[place:place] = chunk * random.randrange(1, 8)


MUTATIONS: tuple[Callable[[bytearray, Random], None], ...] = (
    flip,
    overwrite,
    truncate,
    insert,
    duplicate,
)


def mutants(file: Path, originals: list[bytes], count: int, seed: int) -> Iterator[bytes]:
    """Yield the bytes of each mutant, which then is what the file holds."""
    random = Random(seed)
    with file.open("wb", buffering=0) as out:
        for number in range(count):
            data = mutated(originals[number % len(originals)], random)
            out.seek(0)
            out.write(data)
            out.truncate()  # a new file each time would take longer than to read it
            yield data


def mutated(original: bytes, random: Random) -> bytes:
    data = bytearray(original)
    for _ in range(random.choice((1, 1, 2, 3))):
        random.choice(MUTATIONS)(data, random)
        if not data:
            break
    return bytes(data)


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.slow
@pytest.mark.usefixtures("traced")
def test_damaged_files_give_our_error_or_a_result_in_bounded_memory(
    tmp_path: Path, effort: Effort
) -> None:
    num_mutants = 5 * effort.num_files
    file, read, refused = tmp_path / "mutant.t7", 0, 0
    for data in mutants(file, bases(), num_mutants, seed=0):
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        try:
            read_torch7(file)
            read += 1
        except CheckpointError:
            refused += 1
        _, peak = tracemalloc.get_traced_memory()
        assert peak - before <= BOUND_BASE + BOUND_PER_BYTE * len(data), data
    # Both happen often, or the mutations would test little.
    assert read > num_mutants // 20
    assert refused > num_mutants // 2


@pytest.mark.slow
def test_damaged_networks_are_mapped_or_refused(tmp_path: Path) -> None:
    small = CIFAR.replace(blocks_per_stage=(1,), stage_widths=(8,), cardinality=1, num_classes=2)
    file = tmp_path / "mutant.t7"
    mapped = 0
    for _ in mutants(file, [torch7_bytes(made_tree(small))], 1_000, seed=1):
        try:
            mapped += bool(from_torch7(read_torch7(file)))
        except CheckpointError:
            continue
    assert mapped > 20  # in these, only numbers have changed


def i32(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}i", *values)


def i64(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}q", *values)


def text(value: bytes) -> bytes:
    return i32(len(value)) + value


def head(name: bytes, index: int = 1) -> bytes:
    return i32(4, index) + text(b"V 1") + text(name)


def tensor(sizes: list[int], strides: list[int], offset: int, storage: bytes) -> bytes:
    geometry = i32(len(sizes)) + i64(*sizes, *strides, offset)
    return head(b"torch.FloatTensor") + geometry + storage


STORAGE = head(b"torch.FloatStorage", 2) + i64(4) + bytes(16)

HOSTILE = {
    "an empty file": (b"", "0 remain"),
    "an unknown kind": (i32(9), "9 is not a kind of object"),
    "a negative kind": (i32(-1), "-1 is not a kind of object"),
    "a torn number": (i32(1) + b"1234567", "8 bytes is declared, but only 7 remain"),
    "a huge string": (i32(2, 2**31 - 1) + b"x", "2,147,483,647 bytes"),
    "a string of negative length": (i32(2, -5), "-5 bytes"),
    "a huge table": (i32(3, 1, 2**31 - 1), "bytes is declared"),
    "a table of negative size": (i32(3, 1, -1), "bytes is declared"),
    "a nil key": (i32(3, 1, 1) + i32(0) + i32(1) + bytes(8), "nil key"),
    "a key twice": (i32(3, 1, 2) + (i32(2) + text(b"a") + i32(5, 1)) * 2, "duplicate key"),
    "a huge function": (i32(8, 1, 2**30), "bytes is declared"),
    "a huge storage": (head(b"torch.DoubleStorage") + i64(2**60), "bytes is declared"),
    "a storage of negative size": (head(b"torch.ByteStorage") + i64(-1), "bytes is declared"),
    "a huge list of tds": (head(b"tds.Vec") + i64(2**62), "bytes is declared"),
    "a huge hash of tds": (head(b"tds.Hash") + i64(2**62), "bytes is declared"),
    "too many dimensions": (head(b"torch.FloatTensor") + i32(65), "65 dimensions"),
    "an expanded tensor": (tensor([1000, 4], [0, 1], 1, STORAGE), "4,000 elements"),
    "a tensor behind its storage": (tensor([2], [1], 4, STORAGE), "last at 4"),
    "a tensor before its storage": (tensor([2], [1], 0, STORAGE), "offset -1"),
    "a negative stride": (tensor([2], [-1], 2, STORAGE), "strides"),
    "a dimension of nothing": (tensor([0, 2**62], [1, 1], 1, STORAGE), "sizes"),
    "an overflowing size": (tensor([2**62, 2**62], [0, 0], 1, STORAGE), "elements"),
    "a tensor without storage": (tensor([2], [1], 1, i32(0)), "which has 0"),
    "another type's storage": (
        tensor([1], [1], 1, head(b"torch.ByteStorage", 2) + i64(1) + b"\0"),
        "storage of a tensor of Float",
    ),
    "a number as storage": (tensor([1], [1], 1, i32(5, 1)), "storage of a tensor of Float"),
    "a tensor in a tensor": (tensor([1], [1], 1, tensor([1], [1], 2, STORAGE)), "storage of a"),
    "an object without fields": (head(b"nn.ReLU") + i32(0), "without a table of fields"),
    "something behind the end": (i32(5, 1, 0), "extra bytes"),
}


@pytest.mark.parametrize(("data", "words"), HOSTILE.values(), ids=list(HOSTILE))
def test_hostile_files_are_refused_with_path_offset_and_reason(
    tmp_path: Path, data: bytes, words: str
) -> None:
    file = tmp_path / "hostile.t7"
    file.write_bytes(data)
    with pytest.raises(CheckpointError, match=r"hostile\.t7: byte \d+") as caught:
        read_torch7(file, long_bytes=8)
    assert words in str(caught.value)
    with pytest.raises(CheckpointError):
        read_torch7(file)


def test_nesting_has_a_limit_and_no_recursion(tmp_path: Path) -> None:
    file = tmp_path / "deep.t7"
    links = [i32(3, index + 1, 1) + i32(5, 1) for index in range(200_000)]
    file.write_bytes(b"".join(links))
    with pytest.raises(CheckpointError, match="10,000 nested objects"):
        read_torch7(file)


def test_ascii_files_are_refused_with_the_way_to_convert_them(tmp_path: Path) -> None:
    file = tmp_path / "ascii.t7"
    file.write_text("4\n1\n3\nV 1\n13\nnn.Sequential\n")
    with pytest.raises(CheckpointError, match=r"ascii\.t7: is in Torch7's ASCII format.*'ascii'"):
        read_torch7(file)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.t7")  # opening it would wait for a writer
    for path in (tmp_path, tmp_path / "missing.t7", tmp_path / "pipe.t7"):
        with pytest.raises(CheckpointError, match="no such file"):
            read_torch7(path)


@pytest.mark.parametrize("long_bytes", [8, 4])
def test_the_error_is_that_of_the_size_that_leads_further(
    tmp_path: Path, long_bytes: Literal[4, 8]
) -> None:
    whole = torch7_bytes([torch.arange(5), "text"], long_bytes)
    file = tmp_path / "torn.t7"
    file.write_bytes(whole[:-1])
    with pytest.raises(CheckpointError, match=f"byte {len(whole) - 4} of {len(whole) - 1}"):
        read_torch7(file)
