"""Checkpoints are written beside the training, one at a time, from a copy."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from resnext.errors import CheckpointError
from resnext.training.checkpoint_file import CheckpointFiles, Stored
from resnext.training.checkpoint_writer import CheckpointWriter
from resnext.training.snapshot import Snapshot


class _SlowFiles(CheckpointFiles):
    """Writes nothing until it is let; notes what it was given and how many wrote at once."""

    def __init__(self, run: Path) -> None:
        super().__init__(run)
        self.may_write = threading.Event()
        self.written: list[tuple[str, float]] = []
        self.error: Exception | None = None

    def write(self, stored: Stored) -> None:
        assert self.may_write.wait(60)
        if self.error is not None:
            raise self.error
        self.written.append((stored.position, float(stored.tensors["x"])))


def test_training_goes_on_while_a_checkpoint_is_written(tmp_path: Path) -> None:
    files, x = _SlowFiles(tmp_path), torch.tensor(1.0)
    writer = CheckpointWriter(files)
    writer.save("first", {"x": x})
    assert writer.is_busy  # and yet `save` has returned
    x.fill_(2.0)  # the next step
    files.may_write.set()
    writer.wait()
    assert files.written == [("first", 1.0)]
    assert not writer.is_busy


def test_a_second_save_waits_for_the_first(tmp_path: Path) -> None:
    files, x = _SlowFiles(tmp_path), torch.tensor(1.0)
    writer = CheckpointWriter(files)
    writer.save("first", {"x": x})
    threading.Timer(0.05, files.may_write.set).start()
    x.fill_(2.0)
    writer.save("second", {"x": x})
    assert files.written[0] == ("first", 1.0)
    writer.wait()
    assert files.written == [("first", 1.0), ("second", 2.0)]


@pytest.mark.parametrize("at", ["save", "wait", "end"])
def test_the_error_of_a_write_comes_out_at_the_next_occasion_and_once(
    tmp_path: Path, at: str
) -> None:
    files = _SlowFiles(tmp_path)
    files.may_write.set()
    files.error = CheckpointError("no room")
    writer = CheckpointWriter(files)
    writer.save("first", {"x": torch.tensor(1.0)})
    occasions: dict[str, Callable[[], None]] = {
        "save": lambda: writer.save("second", {"x": torch.tensor(2.0)}),
        "wait": writer.wait,
        "end": lambda: writer.__exit__(None, None, None),
    }
    with pytest.raises(CheckpointError, match="no room"):
        occasions[at]()
    writer.wait()


def test_leaving_by_another_error_waits_and_lets_that_error_through(tmp_path: Path) -> None:
    files = _SlowFiles(tmp_path)
    writer = CheckpointWriter(files)
    writer.save("first", {"x": torch.tensor(1.0)})
    threading.Timer(0.05, files.may_write.set).start()
    with pytest.raises(ZeroDivisionError), writer:
        raise ZeroDivisionError
    assert files.written == [("first", 1.0)]


def test_a_snapshot_copies_values_of_any_layout_into_the_same_memory() -> None:
    snapshot = Snapshot()
    x_bchw = torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)
    first = snapshot.take({"x": x_bchw})["x"]
    assert torch.equal(first, x_bchw)
    assert first.is_contiguous()
    second = snapshot.take({"x": x_bchw + 1})["x"]
    assert torch.equal(second, x_bchw + 1)
    assert second.data_ptr() == first.data_ptr()
