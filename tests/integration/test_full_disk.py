"""A disk that is full or read-only at any moment of a run: one message, and nothing lost."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from runs import end_of, small_run, start_command
from small_disk import fill, make_read_only, mounted

from resnext.runs.config import ScheduleConfig
from resnext.runs.folder import write_config
from resnext.runs.metrics_log import read_metrics

DISK_KIB = 2000

pytestmark = pytest.mark.slow


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with mounted(tmp_path / "disk", DISK_KIB) as place:
        yield place


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    folder = tmp_path / "settings"
    folder.mkdir()
    write_config(folder, small_run(schedule=ScheduleConfig(kind="cosine", epochs=2)))
    return folder


def message_of(output: Path) -> str:
    """Return what a command printed, which must end with one message and no traceback."""
    text = output.read_text()
    assert "Traceback" not in text
    assert "Exception" not in text
    lines = [line for line in text.splitlines() if "resnext: error:" in line]
    assert len(lines) == 1, text
    return lines[0]


@pytest.mark.parametrize("free_kib", [0, 8, 24, 64, 200, 260])
def test_a_run_on_a_full_disk_ends_with_one_message_and_can_go_on(
    disk: Path, settings: Path, tmp_path: Path, free_kib: int
) -> None:
    filler, output = fill(disk, free_kib=free_kib), tmp_path / "output.txt"
    words = ("train", "--config", settings, "--out", disk / "run", "--continue", "--quiet")
    assert end_of(start_command(output, *words)) == 2, output.read_text()
    told = message_of(output)
    assert "No space left on device" in told or "free some space" in told
    filler.unlink()
    assert end_of(start_command(output, *words)) == 0, output.read_text()
    epochs = [row["epoch"] for row in read_metrics(disk / "run") if row["kind"] == "epoch"]
    assert epochs == [1, 2]
    assert (disk / "run" / "report.html").exists()


def test_a_report_that_finds_no_room_leaves_nothing_half_written(
    disk: Path, finished: Path, tmp_path: Path
) -> None:
    run, output = disk / "run", tmp_path / "output.txt"
    shutil.copytree(finished, run)
    before = {path.name for path in run.iterdir()}
    fill(disk, free_kib=8)
    assert end_of(start_command(output, "evaluate", run, "--quiet")) == 2, output.read_text()
    assert f"cannot write the report {run / 'report.html'}" in message_of(output)
    assert {path.name for path in run.iterdir()} == before | {"evaluation.json"}


@pytest.mark.parametrize("verb", ["resume", "evaluate", "publish", "export", "convert"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_read_only_folder_is_one_message(
    disk: Path, finished: Path, tmp_path: Path, verb: str
) -> None:
    run, output = disk / "run", tmp_path / "output.txt"
    shutil.copytree(finished, run)
    make_read_only(disk)
    words: dict[str, tuple[str | Path, ...]] = {
        "resume": ("train", "--resume", run),
        "evaluate": ("evaluate", run),
        "publish": ("publish", run, "--to", disk / "published"),
        "export": ("export", run, "--to", "torchscript"),
        "convert": ("convert", run, disk / "new.safetensors"),
    }
    assert end_of(start_command(output, *words[verb])) == 2, output.read_text()
    told = message_of(output)
    assert "Read-only file system" in told or "is not writable" in told
    assert str(disk) in told


@pytest.mark.parametrize("to", ["safetensors", "torchvision"])
@pytest.mark.parametrize("free_kib", [0, 16, 60])
def test_a_conversion_that_finds_no_room_leaves_nothing(
    disk: Path, tmp_path: Path, to: str, free_kib: int
) -> None:
    output = tmp_path / "output.txt"
    target = disk / ("new.safetensors" if to == "safetensors" else "new.pth")
    fill(disk, free_kib=free_kib)
    command = start_command(output, "convert", made_weights(tmp_path), target, "--format", to)
    assert end_of(command) == 2, output.read_text()
    assert "free some space" in message_of(output)
    assert [path.name for path in disk.iterdir()] == ["filler"]


def made_weights(folder: Path) -> Path:
    """Write weights that torchvision has a network for."""
    from resnext.model.card import ModelCard
    from resnext.model.create import create_model
    from resnext.model.names import config_from
    from resnext.weights.own_file import save_weights

    path = folder / "resnet18.safetensors"
    config = config_from("resnet18")
    save_weights(path, create_model(config), config, ModelCard())
    return path
