import os
from pathlib import Path

import pytest
from made_runs import finish_run, make_run

from resnext.errors import RunError
from resnext.page.run_list import REPORT, RunList
from resnext.runs.folder import CONFIG, METRICS


def test_runs_are_found_below_the_folder_in_order(tmp_path: Path) -> None:
    for name in ("b", "a", "study/trials/t-1/run", "too/deep/to/be/a/run", ".hidden"):
        make_run(tmp_path / name, [50.0])
    (tmp_path / "notes").mkdir()
    assert RunList(tmp_path).names() == ["a", "b", "study/trials/t-1/run"]


def test_a_folder_within_a_run_is_no_other_run(tmp_path: Path) -> None:
    make_run(tmp_path / "a", [50.0])
    make_run(tmp_path / "a" / "inner", [50.0])
    assert RunList(tmp_path).names() == ["a"]


def test_the_folder_may_be_a_run_or_not_exist_yet(tmp_path: Path) -> None:
    runs = RunList(tmp_path / "later")
    assert runs.names() == []
    make_run(tmp_path / "later", [50.0])
    assert runs.search() == ["later"]
    assert "model" in runs.read("later", CONFIG)


@pytest.mark.parametrize(
    "name", ["../secret", "/etc", "a/../../secret", "", ".", "a/", "b\0", "A", "a/inner"]
)
def test_no_name_leads_outside_the_known_runs(name: str, tmp_path: Path) -> None:
    make_run(tmp_path / "secret", [50.0])
    make_run(tmp_path / "runs" / "a", [50.0])
    runs = RunList(tmp_path / "runs")
    assert not runs.has(name, CONFIG)
    with pytest.raises(RunError, match="no run"):
        runs.read(name, CONFIG)


def test_a_file_that_is_none_of_the_page_s_is_never_read(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a", [50.0])
    (run / "key.txt").write_text("secret")
    runs = RunList(tmp_path)
    for file in ("key.txt", "../a/config.yaml", "best.safetensors"):
        with pytest.raises(KeyError):
            runs.read("a", file)


def test_links_are_neither_searched_nor_read(tmp_path: Path) -> None:
    outside = finish_run(make_run(tmp_path / "outside", [50.0]), 40.0)
    run = make_run(tmp_path / "runs" / "a", [50.0])
    (tmp_path / "runs" / "link").symlink_to(outside)
    (run / REPORT).symlink_to(outside / REPORT)
    runs = RunList(tmp_path / "runs")
    assert runs.names() == ["a"]
    with pytest.raises(RunError, match=r"report.html cannot be read"):
        runs.read("a", REPORT)


def test_a_pipe_does_not_stop_the_page(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a", [50.0])
    os.mkfifo(run / REPORT)
    with pytest.raises(RunError, match="is not a regular file"):
        RunList(tmp_path).read("a", REPORT)


def test_a_file_too_large_or_no_text_is_told(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a", [50.0])
    with (run / CONFIG).open("wb") as file:
        file.truncate(2**20 + 1)
    (run / METRICS).write_bytes(b"\xff\xfe\x00")
    runs = RunList(tmp_path)
    with pytest.raises(RunError, match="larger than the 1,048,576 bytes accepted"):
        runs.read("a", CONFIG)
    with pytest.raises(RunError, match="not UTF-8 text"):
        runs.read("a", METRICS)


def test_a_run_that_was_deleted_since_is_told(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a", [50.0])
    runs = RunList(tmp_path)
    (run / CONFIG).unlink()
    with pytest.raises(RunError, match="No such file"):
        runs.read("a", CONFIG)
