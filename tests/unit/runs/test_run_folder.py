"""A run is a folder that never overwrites another."""

import itertools
from pathlib import Path

import pytest

from resnext.errors import ConfigError, RunError
from resnext.runs.config import TrainConfig
from resnext.runs.folder import create_run_folder, open_run, read_config, write_config


@pytest.mark.usefixtures("here")
def test_a_taken_name_gets_a_number() -> None:
    made = [create_run_folder(None, "digits") for _ in range(3)]
    assert made == [Path("runs/digits"), Path("runs/digits-2"), Path("runs/digits-3")]
    assert all(folder.is_dir() for folder in made)


def test_a_folder_that_holds_something_is_refused_with_the_way_on(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("data")
    with pytest.raises(RunError, match=r"never overwrites another.*--resume"):
        create_run_folder(tmp_path, "x")
    assert (tmp_path / "precious").read_text() == "data"


def test_a_place_that_cannot_be_made_is_one_clear_message(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"cannot create the run folder .*--out"):
        create_run_folder(tmp_path / "file" / "run", "x")


def test_the_written_config_is_the_config(tmp_path: Path) -> None:
    config = TrainConfig(batch_size=7, size_schedule=(0.5, 1.0), ema_decay=0.9)
    write_config(tmp_path, config)
    assert read_config(tmp_path) == open_run(tmp_path) == config


def test_a_broken_config_names_the_file_and_the_setting(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("batch_size: many\n")
    with pytest.raises(ConfigError, match=r"mine\.yaml: batch_size='many'"):
        read_config(file)
    file.write_text("batch_size: [1\n")
    with pytest.raises(ConfigError, match="not valid YAML"):
        read_config(file)
    file.write_text("just text\n")
    with pytest.raises(ConfigError, match="contains no settings"):
        read_config(file)


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"not a run folder: it contains no config\.yaml"):
        open_run(tmp_path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"a: " + b"[" * 100_000, "nested more than 40 levels"),
        (b"1: 2\n", "not a text"),
        (b"seed: " + b"9" * 5000, "more than 100 digits"),
        (b"seed: 2020-99-99\n", "seed='2020-99-99'"),
        (b"self: 1\n", "self: no such setting"),
        (b"seed: 1\nseed: 2\n", "occurs twice"),
        (b"\xff\xfe", "not UTF-8 text"),
        (b"a: &a [x, x]\nb: &b [*a, *a, *a]\n" * 1, "no such setting"),
        (b"x" * 2**21, "larger than"),
    ],
)
def test_a_hostile_config_is_one_short_message(tmp_path: Path, text: bytes, told: str) -> None:
    file = tmp_path / "hostile.yaml"
    file.write_bytes(text)
    with pytest.raises(ConfigError, match=told) as caught:
        read_config(file)
    assert str(caught.value).startswith(str(file))
    assert len(str(caught.value)) < 1500


def test_a_config_that_expands_without_end_is_refused(tmp_path: Path) -> None:
    names = "abcdefghi"
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in itertools.pairwise(names)]
    (tmp_path / "bomb.yaml").write_text("\n".join(lines))
    with pytest.raises(ConfigError, match="expands to more than"):
        read_config(tmp_path / "bomb.yaml")


@pytest.mark.parametrize("name", ["../up", "a/b", "", "..", "x" * 300, "a\nb"])
def test_a_name_that_leaves_the_folder_of_runs_is_refused(here: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="--name"):
        create_run_folder(None, name)
    assert list(here.iterdir()) == []


def test_a_start_that_was_killed_at_once_does_not_block_the_folder(tmp_path: Path) -> None:
    (tmp_path / ".writer").mkdir()
    (tmp_path / "config.yaml.partial").touch()
    assert create_run_folder(tmp_path, "x") == tmp_path
    (tmp_path / ".writer").rmdir()
    with pytest.raises(RunError, match="not empty"):
        create_run_folder(tmp_path, "x")
