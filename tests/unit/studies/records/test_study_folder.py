"""The folder of a study holds the study whole, whoever else writes there."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest
from made_study import made_rows, made_study

from resnext.data.config import ViewConfig
from resnext.errors import ConfigError, RunError
from resnext.studies.records.study_folder import (
    STUDY,
    read_study,
    read_yaml,
    settle_folder,
    write_study,
)
from resnext.studies.report.files import write_report
from resnext.studies.study import Comparison, Study, Test

_WRITERS, _TIMES, _REPORTS = 3, 40, 4


def test_a_study_comes_back_from_its_file(tmp_path: Path) -> None:
    written = made_study(
        comparisons=(Comparison(better="a", than="b"),),
        tests=(Test(name="320", view=ViewConfig(size_px=320)),),
    )
    write_study(tmp_path / STUDY, written)
    assert read_study(tmp_path / STUDY) == written


def test_other_seeds_are_kept_but_other_designs_are_another_study(tmp_path: Path) -> None:
    folder = settle_folder(made_study(seeds=(0,)), tmp_path)
    assert folder == tmp_path / "made"
    settle_folder(made_study(seeds=(0, 1)), tmp_path)
    assert read_study(folder / STUDY).seeds == (0, 1)
    with pytest.raises(RunError, match="contains a study of the same name with other settings"):
        settle_folder(made_study(("a", "c")), tmp_path)
    assert [design.label for design in read_study(folder / STUDY).designs] == ["a", "b"]


@pytest.mark.parametrize("text", ["- 1", "a: [", ""])
def test_a_file_that_is_no_study_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / STUDY).write_text(text)
    with pytest.raises(ConfigError, match=r"study\.yaml"):
        read_yaml(tmp_path / STUDY)


def _write_often(study: Study, root: Path, start: multiprocessing.synchronize.Barrier) -> None:
    rows = made_rows(study, {"a": [9.0, 8.0], "b": [7.0, 8.0]})
    start.wait()
    for _ in range(_TIMES):
        folder = settle_folder(study, root)
        assert read_study(folder / STUDY) == study
    for _ in range(_REPORTS):
        write_report(study, rows, folder)


@pytest.mark.slow
def test_several_who_finish_a_study_at_once_do_not_collide(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    start = context.Barrier(_WRITERS)
    writers = [
        context.Process(target=_write_often, args=(made_study(seeds=(0, 1)), tmp_path, start))
        for _ in range(_WRITERS)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * _WRITERS
    assert not list(tmp_path.rglob("*.partial"))
