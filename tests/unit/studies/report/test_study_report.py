from __future__ import annotations

import csv
import json
import re
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from html_page import HtmlPage
from made_study import (
    made_design_space,
    made_figures,
    made_row,
    made_rows,
    made_study,
    made_times,
    paper_table3,
    simulated_rows,
    small_table4,
    write_curves,
)
from python_process import run_python

from resnext.data.config import DataConfig, ViewConfig
from resnext.errors import RunError
from resnext.recipes.cardinality import table3
from resnext.recipes.state_of_the_art import table7
from resnext.recipes.study_scale import Choice
from resnext.studies.analysis.summary import summarise_study
from resnext.studies.records.results import Row
from resnext.studies.records.trial import plan_trials
from resnext.studies.report.files import write_report
from resnext.studies.study import Comparison, Study, Test
from resnext.untrusted.text import markdown_text

NASTY = "<script>alert('x')</script> | $a & “b” _"


def written(study: Study, rows: list[Row], folder: Path) -> tuple[HtmlPage, dict[str, Any], str]:
    """Return page, JSON and Markdown of a report."""
    folder.mkdir(parents=True, exist_ok=True)
    html, _, values, markdown = (
        path.read_text(encoding="utf-8") for path in write_report(study, rows, folder)
    )
    return HtmlPage(html), json.loads(values), markdown


@pytest.mark.slow
def test_four_files_lie_in_the_folder_and_nothing_else(tmp_path: Path) -> None:
    study, rows = small_table4()
    names = [path.name for path in write_report(study, rows, tmp_path)]
    assert names == ["report.html", "results.csv", "results.json", "results.md"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)


@pytest.mark.slow
def test_the_page_needs_no_other_file_and_is_well_formed(tmp_path: Path) -> None:
    study, rows = paper_table3(tmp_path)
    page, _, _ = written(study, rows, tmp_path / study.name)
    assert page.unclosed == []
    assert len(page.addresses) == 6  # five plots and the one of time
    assert all(address.startswith("data:image/svg+xml") for address in page.addresses)
    assert page.tags.count("script") == 1  # ours
    assert "link" not in page.tags


@pytest.mark.slow
def test_the_page_tells_how_far_the_study_is_and_why_it_is_not_done(tmp_path: Path) -> None:
    study, rows = paper_table3(tmp_path)
    page, _, _ = written(study, rows, tmp_path / study.name)
    assert "28 of 30 trials done 1 missing 1 failed" in page.words
    assert (
        "101 layers, 32x4d, imagenet, seed 2: out of memory, 2 attempts; the trial is failed"
        in (page.words)
    )


@pytest.mark.slow
def test_the_page_tells_machines_versions_and_settings(tmp_path: Path) -> None:
    study, rows = paper_table3(tmp_path)
    page, _, _ = written(study, rows, tmp_path / study.name)
    assert "made-up processor, 2 threads; bfloat16" in page.words
    assert "Python 3.11.7, resnext 0.1.0, torch 2.14.1" in page.words
    assert "0.933 hours in training steps" in page.words  # 28 trials of two minutes
    assert "momentum: 0.9" in page.words


@pytest.mark.slow
def test_all_files_say_the_same_verdicts(tmp_path: Path) -> None:
    study, rows = paper_table3(tmp_path)
    page, values, markdown = written(study, rows, tmp_path / study.name)
    assert len(values["differences"]) == len(study.comparisons)
    for row in values["differences"]:
        assert row["verdict"] in page.words
        assert markdown_text(row["verdict"]) in markdown
        assert row["resolved"] == row["verdict"].startswith("Resolved")


@pytest.mark.slow
def test_the_table_has_the_papers_figures_beside_ours(tmp_path: Path) -> None:
    study, rows = paper_table3(tmp_path)
    page, _, markdown = written(study, rows, tmp_path / study.name)
    line = next(line for line in markdown.splitlines() if line.startswith("| 50 layers"))
    for figure in (23.9, 23.0, 22.6, 22.3, 22.2):
        assert f"[paper {figure}]" in line
        assert f"paper {figure}" in page.words


@pytest.mark.slow
def test_what_the_designs_cost_in_time_is_told_where_it_was_measured(tmp_path: Path) -> None:
    study, rows = paper_table3(tmp_path)
    times = made_times(study)
    _, _, markdown = written(study, rows, tmp_path / study.name)
    table = markdown.partition("## Time")[2].splitlines()
    told = [line for line in table if line.startswith(tuple(f"| {t.label} " for t in times))]
    assert len(told) == len(times)
    for row, line in zip(times, told, strict=True):
        for value in (row.step_ms, row.step_ms_low, row.step_ms_high):
            assert f"{value:.1f}" in line
        assert f"{row.latency_ms:.2f}" in line
    assert "Time" not in written(study, rows, tmp_path / "unmeasured")[2]


def test_what_a_person_wrote_is_text_in_every_file(tmp_path: Path) -> None:
    study = made_study((NASTY, "b"), name="x", question=NASTY, note=NASTY, seeds=(0, 1, 2))
    rows = made_rows(study, {NASTY: [5, 6, 7], "b": [4, 5, 6.1]})
    attempts = ({"reason": "crashed", "detail": NASTY},)
    rows[0] = made_row(rows[0].trial, None, state="failed", attempts=attempts)
    page, values, markdown = written(study, rows, tmp_path)
    assert page.tags.count("script") == 1  # ours
    assert page.words.count("<script>") > 4  # shown, not run
    assert "<script>" not in markdown
    table = [line for line in markdown.splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table}) == 1
    assert values["trials"][0]["design"] == NASTY


def test_json_has_no_word_that_is_not_json(tmp_path: Path) -> None:
    study = made_study(seeds=(0, 1), comparisons=(Comparison(better="b", than="a"),))
    rows = made_rows(study, {"a": [float("nan"), 5.0], "b": [None, None]})
    _, values, _ = written(study, rows, tmp_path)
    (found,) = values["differences"]
    assert (found["n"], found["mean"], found["corrected_p"]) == (0, None, None)
    assert [row["top1_error"] for row in values["trials"]] == [None, None, 5.0, None]
    assert values["errors"] == [
        {"data": "digits", "test": "", "label": "a", "n": 1, "mean": 5.0, "deviation": None}
    ]


def test_csv_has_a_line_for_each_trial_with_what_it_was_and_what_came_out(tmp_path: Path) -> None:
    tests = (Test(name="48", view=ViewConfig(size_px=48)),)
    study = made_study(seeds=(0, 1), tests=tests)
    rows = made_rows(study, {"a": [5.25, 6.0], "b": [7.0, None]})
    write_report(study, rows, tmp_path)
    with (tmp_path / "results.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [(line["design"], line["seed"], line["state"]) for line in lines] == [
        ("a", "0", "done"),
        ("b", "0", "done"),
        ("a", "1", "done"),
        ("b", "1", "missing"),
    ]
    first = lines[0]
    assert (first["top1_error"], first["top1_error_48"]) == ("5.25", "5.25")
    assert (first["cardinality"], first["bottleneck_width"]) == ("1", "4")
    assert first["key"] == rows[0].trial.key
    assert lines[3]["top1_error"] == ""


def test_a_distribution_is_reported_with_what_is_missing_from_it(tmp_path: Path) -> None:
    study, rows = made_design_space()
    rows[0] = made_row(rows[0].trial, None, state="pruned")
    page, values, _ = written(study, rows, tmp_path)
    assert "1 of 16 designs have no final error" in page.words
    assert len(values["group_differences"]) == 1
    assert values["group_differences"][0]["verdict"] in page.words


@pytest.mark.parametrize("done", [0, 1])
def test_a_study_that_has_hardly_begun_has_a_report(tmp_path: Path, done: int) -> None:
    study, _ = small_table4()
    rows = [
        made_row(trial, 5.0 if number < done else None)
        for number, trial in enumerate(plan_trials(study))
    ]
    page, values, _ = written(study, rows, tmp_path)
    assert f"{done} of 36 trials done" in page.words
    assert not any(row["resolved"] for row in values["differences"])


def test_a_folder_that_cannot_be_written_is_a_message(tmp_path: Path) -> None:
    study, rows = small_table4()
    with pytest.raises(RunError, match="cannot write the report into"):
        write_report(study, rows, tmp_path / "absent")


def test_findings_are_worked_out_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    work_out = summarise_study

    def note(*given: Any) -> Any:
        calls.append(given)
        return work_out(*given)

    monkeypatch.setattr("resnext.studies.report.files.summarise_study", note)
    monkeypatch.setattr("resnext.studies.analysis.summary.summarise_study", note)
    write_report(*small_table4(), tmp_path)
    assert len(calls) == 1


@pytest.mark.slow
def test_a_report_needs_no_torch() -> None:
    run_python("import sys, resnext.studies.report.files; sys.exit('torch' in sys.modules)")


@pytest.mark.slow
def test_a_thousand_trials_take_little_memory(tmp_path: Path) -> None:
    labels = [f"design {number}" for number in range(5)]
    study = made_study(labels, seeds=tuple(range(200)))
    rows = [
        made_row(trial, 5.0, tmp_path, figures=made_figures(trial, 5.0 + trial.seed % 7))
        for trial in plan_trials(study)
    ]
    for row in rows:
        write_curves(row)
    [row.trial.key for row in rows]  # kept by the trials, not by the report
    tracemalloc.start()
    write_report(study, rows, tmp_path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100 * 2**20


def test_the_papers_figures_of_the_networks_meant_have_rows_or_columns(tmp_path: Path) -> None:
    choice = Choice("small", (DataConfig(name="cifar10"),))
    study = table3(choice)
    means = {design.label: 9.0 for design in study.designs}
    rows = simulated_rows(study, means, seed=2, shared=0.2, own=0.15)
    page, values, markdown = written(study, rows, tmp_path / "table3")
    line = next(line for line in markdown.splitlines() if "101 layers, 1x64d" in line)
    assert re.split(r" +\| +", line)[:3] == [
        "| the paper, imagenet",
        markdown_text("22.0 (101 layers, 1x64d)"),
        markdown_text("21.7 (101 layers, 2x40d)"),
    ]
    assert "compare the order, not the values" in page.words
    assert "the paper, imagenet 23.9 50 layers, 1x64d 23.0 50 layers, 2x40d" in page.words
    assert "Kendall's tau" in page.words
    assert len(values["paper"]) == 10

    listed = table7(choice)
    means = {design.label: 9.0 for design in listed.designs}
    rows = simulated_rows(listed, means, seed=2, shared=0.2, own=0.15)
    page, _, markdown = written(listed, rows, tmp_path / "table7")
    assert re.search(r"\| +\| top-1 error +\| the paper, cifar10 +\|", markdown)
    assert re.search(r"\| resnext11_4x16d +\| [^|]*\| 3.65 \(resnext29_8x64d\) +\|", markdown)
    assert "3.65 resnext29_8x64d" in page.words
