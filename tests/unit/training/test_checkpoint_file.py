"""A checkpoint file is verified when read, and replaced so that one is always whole."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import save_file

from resnext.errors import CheckpointError
from resnext.training.checkpoint_file import CheckpointFiles, Stored, read_checkpoint

LAST, PREVIOUS = "last.safetensors", "last.previous.safetensors"


def _state(number: int) -> Stored:
    generator = torch.Generator().manual_seed(number)
    tensors = {
        "model.weight": torch.randn(8, 4, generator=generator),
        "model.count": torch.tensor(number),
        "momentum.weight": torch.randn(8, 4, generator=generator).bfloat16(),
    }
    return Stored(f'{{"step": {number}}}', tensors)


def _write(run: Path, *numbers: int) -> CheckpointFiles:
    files = CheckpointFiles(run)
    for number in numbers:
        files.write(_state(number))
    return files


def _assert_is(stored: Stored, number: int) -> None:
    expected = _state(number)
    assert stored.position == expected.position
    assert stored.tensors.keys() == expected.tensors.keys()
    assert all(torch.equal(stored.tensors[name], t) for name, t in expected.tensors.items())


@pytest.fixture(scope="module")
def two_states(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("run")
    _write(run, 1, 2)
    return run


@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_a_byte_changed_anywhere_is_detected_and_the_state_before_is_used(
    two_states: Path, place: float, flip: int
) -> None:
    content = (two_states / LAST).read_bytes()
    changed = bytearray(content)
    changed[int(place * len(content))] ^= flip
    (two_states / LAST).write_bytes(changed)
    files = CheckpointFiles(two_states)
    try:
        stored = files.read()
    finally:
        (two_states / LAST).write_bytes(content)
    if files.complaint:
        _assert_is(stored, 1)
    else:  # white space of the header, turned into other white space
        _assert_is(stored, 2)


@pytest.mark.parametrize("text", [b"checksum", b"resnext-checkpoint-2", b"step", b"model.count"])
def test_a_bit_flipped_in_the_header_is_detected(tmp_path: Path, text: bytes) -> None:
    _write(tmp_path, 1)
    content = (tmp_path / LAST).read_bytes()
    at = content.index(text) + len(text) - 1
    for bit in range(8):
        changed = bytearray(content)
        changed[at] ^= 1 << bit
        (tmp_path / LAST).write_bytes(changed)
        with pytest.raises(CheckpointError, match=r"last\.safetensors: (is|cannot)"):
            read_checkpoint(tmp_path / LAST)


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5, 0.999])
def test_a_torn_file_is_detected_and_the_state_before_is_used(tmp_path: Path, kept: float) -> None:
    _write(tmp_path, 1, 2)
    content = (tmp_path / LAST).read_bytes()
    (tmp_path / LAST).write_bytes(content[: int(kept * len(content))])
    files = CheckpointFiles(tmp_path)
    _assert_is(files.read(), 1)
    assert "last.safetensors: cannot be read" in files.complaint


def test_a_damaged_file_does_not_displace_the_whole_one_before_it(tmp_path: Path) -> None:
    _write(tmp_path, 1, 2)
    (tmp_path / LAST).write_bytes(b"torn")
    files = CheckpointFiles(tmp_path)
    files.read()
    files.write(_state(3))
    _assert_is(read_checkpoint(tmp_path / LAST), 3)
    _assert_is(read_checkpoint(tmp_path / PREVIOUS), 1)


def test_two_damaged_files_are_one_error_that_names_both(tmp_path: Path) -> None:
    files = _write(tmp_path, 1, 2)
    (tmp_path / LAST).write_bytes(b"")
    (tmp_path / PREVIOUS).write_bytes(b"torn")
    with pytest.raises(
        CheckpointError, match=r"last\.safetensors: .*last\.previous\.safetensors: "
    ):
        files.read()


def test_files_without_a_checksum_are_still_read(tmp_path: Path) -> None:
    state = _state(1)
    metadata = {"format": "resnext-checkpoint-1", "position": state.position}
    save_file(dict(state.tensors), tmp_path / LAST, metadata)
    _assert_is(CheckpointFiles(tmp_path).read(), 1)


@pytest.mark.parametrize("has_links", [True, False])
def test_a_crash_between_any_two_operations_leaves_a_whole_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_links: bool
) -> None:
    """Crash before the n-th change of a name, for every n, and read what is there."""
    calls = 0

    def crash_at(limit: int, run: Path) -> None:
        nonlocal calls
        calls = 0

        def counted(original: object) -> object:
            def call(*arguments: object, **options: object) -> object:
                nonlocal calls
                calls += 1
                if calls == limit:
                    raise _CrashError
                assert callable(original)
                return original(*arguments, **options)

            return call

        def no_link(*_: object) -> None:
            raise PermissionError("no links here")

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", counted(Path.replace))
            patch.setattr(Path, "unlink", counted(Path.unlink))
            patch.setattr(os, "link", counted(os.link) if has_links else no_link)
            files = CheckpointFiles(run)
            files.write(_state(3))

    for limit in range(1, 20):
        run = tmp_path / str(limit)
        run.mkdir()
        _write(run, 1, 2)
        try:
            crash_at(limit, run)
        except _CrashError:
            stored = CheckpointFiles(run).read()
            _assert_is(stored, 3 if "3" in stored.position else 2)
            _write(run, 4, 5)  # and what lies about does not disturb the next writes
            _assert_is(read_checkpoint(run / PREVIOUS), 4)
        else:
            break
    else:
        raise AssertionError("there was no crash to survive")
    assert limit > 3


class _CrashError(BaseException):
    """The process ends here."""


def test_a_file_that_is_replaced_while_it_is_read_is_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = _write(tmp_path, 1)
    opened: list[Path] = []

    @contextmanager
    def open_twice(path: Path, framework: str) -> Iterator[Any]:
        # As safetensors does: the header first, then the tensors, from whatever has the name
        with safe_open(path, framework=framework) as header:
            if not opened:
                files.write(_state(2))
            opened.append(path)
            with safe_open(path, framework=framework) as tensors:
                yield SimpleNamespace(
                    metadata=header.metadata, keys=tensors.keys, get_tensor=tensors.get_tensor
                )

    monkeypatch.setattr("resnext.weights.tensor_file.safe_open", open_twice)
    _assert_is(read_checkpoint(tmp_path / LAST), 2)
    assert len(opened) == 2
