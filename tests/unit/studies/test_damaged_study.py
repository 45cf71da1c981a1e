from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
from made_study import made_row, made_rows, made_study

from resnext.cli.study_output import print_status
from resnext.data.config import DataConfig
from resnext.errors import ConfigError, RunError
from resnext.runs.config import TrainConfig
from resnext.studies.execution.scheduler import status_rows
from resnext.studies.records.arithmetic import settle_arithmetic
from resnext.studies.records.results import read_row
from resnext.studies.records.study_folder import read_study, settle_folder
from resnext.studies.records.trial import DamagedTrialError, create_trial, plan_trials, read_trial
from resnext.studies.report.files import write_report
from resnext.studies.study import MAX_DESIGNS, Design, Study
from resnext.untrusted.text import markdown_text

FIGURES = {
    **dict.fromkeys(("top1_error", "train_top1_error", "best_top1_error"), 10.0),
    **dict.fromkeys(("loss", "train_loss", "seconds"), 1.0),
    **dict.fromkeys(("parameters", "macs", "activations", "epochs"), 1),
}
BIDI, ESCAPE = "\u202e", "\x9b"


def settled(**changes: Any) -> Study:
    return settle_arithmetic(made_study(seeds=(0,), **changes))


def finished(root: Path) -> Study:
    """Return a study of two trials that have finished below a root."""
    study = settled()
    settle_folder(study, root)
    for trial in plan_trials(study):
        (create_trial(trial, root) / "result.json").write_text(json.dumps(FIGURES))
    return study


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "\x00",
        "[" * 100_000,
        '{"top1_error": ' + "9" * 5000 + "}",
        json.dumps(FIGURES | {"top1_error": float("nan")}),
        json.dumps(FIGURES | {"top1_error": "x"}),
        json.dumps(FIGURES | {"top1_error": -1}),
        json.dumps(FIGURES | {"parameters": 10**40}),
        json.dumps({"top1_error": 10.0}),
    ],
)
def test_a_damaged_trial_is_named_and_does_not_hide_the_others(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    study = finished(tmp_path)
    folder = plan_trials(study)[0].folder(tmp_path)
    (folder / "result.json").write_text(text)
    rows = status_rows(study, tmp_path)
    assert [row.state for row in rows] == ["missing", "done"]
    (damage,) = rows[0].damage
    assert damage.startswith(f"{folder / 'result.json'} is damaged: ")
    assert "\n" not in damage
    print_status(study, rows)
    assert f"damaged  {folder / 'result.json'}" in capsys.readouterr().out
    write_report(study, rows, tmp_path / study.name)
    page = (tmp_path / study.name / "report.html").read_text()
    assert "Damaged files" in page
    assert folder.name in page.partition("Damaged files")[2]


def test_a_record_of_attempts_is_read_as_far_as_it_can_be(tmp_path: Path) -> None:
    study = finished(tmp_path)
    trial = plan_trials(study)[0]
    good = json.dumps({"reason": "killed", "detail": "by SIGKILL", "is_last": False})
    lines = [good, "[1]", '{"reason": 3}', '{"torn', good]
    (trial.folder(tmp_path) / "attempts.jsonl").write_text("\n".join(lines))
    row = read_row(trial, tmp_path)
    assert [attempt["reason"] for attempt in row.attempts] == ["killed", "killed"]
    assert row.damage[0].endswith("attempts.jsonl: skipped 3 unreadable lines")


def test_what_a_trial_is_to_train_is_written_again_where_it_is_damaged(tmp_path: Path) -> None:
    (trial, *_) = plan_trials(settled())
    folder = create_trial(trial, tmp_path)
    (folder / "trial.json").write_text('{"config": 3}')
    with pytest.raises(RunError, match=r"trial.json is damaged"):
        read_trial(folder)
    assert create_trial(trial, tmp_path) == folder
    assert read_trial(folder).config == trial.config


def test_a_trial_whose_settings_were_edited_is_refused(tmp_path: Path) -> None:
    first, second = plan_trials(settled())
    folder = create_trial(first, tmp_path)
    (folder / "trial.json").write_text((create_trial(second, tmp_path) / "trial.json").read_text())
    with pytest.raises(DamagedTrialError, match="may have been edited"):
        create_trial(first, tmp_path)


def test_a_trial_whose_folder_is_a_file_is_refused(tmp_path: Path) -> None:
    (trial, *_) = plan_trials(settled())
    trial.folder(tmp_path).parent.mkdir()
    trial.folder(tmp_path).write_text("")
    with pytest.raises(DamagedTrialError, match="remove it"):
        create_trial(trial, tmp_path)
    assert [row.state for row in status_rows(settled(), tmp_path)] == ["missing", "missing"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &a [*a]", "alias"),
        ("name: x\nname: y", "twice"),
        ("[" * 5000, "nested"),
        ("1: 2", "not a text"),
        ("name: x\nquestion: 3", "question"),
        ("- 1", "contains no settings"),
        ("name: ../x", "name="),
        ("seeds: [" + "9" * 5000 + "]", "digits"),
    ],
)
def test_a_hostile_study_file_is_one_message_that_names_it(
    tmp_path: Path, text: str, message: str
) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        read_study(file)
    assert str(caught.value).startswith(str(file))
    assert "\n" not in str(caught.value)


def test_a_study_has_a_bounded_number_of_trials() -> None:
    with pytest.raises(ConfigError, match="= 12,000 trials; a study has at most 10,000"):
        made_study(seeds=tuple(range(6000)))
    model = made_study().designs[0].model
    designs = tuple(Design(label=str(n), model=model) for n in range(MAX_DESIGNS + 1))
    with pytest.raises(ConfigError, match="designs"):
        made_study(designs=designs)


def test_a_network_that_is_too_deep_to_count_is_refused() -> None:
    model = made_study().designs[0].model
    with pytest.raises(ConfigError, match="2,000 blocks; a design has at most 1,000"):
        Design(label="deep", model=model.replace(blocks_per_stage=(1000, 1000)))


def test_data_whose_name_is_no_name_of_a_folder_are_refused(tmp_path: Path) -> None:
    data = DataConfig(name="folder", root=tmp_path / "two\nlines")
    study = settled(settings=(TrainConfig(data=data),))
    with pytest.raises(ConfigError, match=r"folder of a trial: .*rename the data"):
        status_rows(study, tmp_path)


def test_names_act_neither_in_a_terminal_nor_in_a_spreadsheet_nor_in_markdown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    label = f"=cmd(){BIDI}{ESCAPE} [x](javascript:0) $\\frac$ <b>"
    study = made_study((label, "b"), seeds=(0, 1, 2), question=f"?{BIDI}")
    rows = made_rows(study, {label: [5, 6, 7], "b": [4, 5, 6.1]})
    rows[0] = made_row(rows[0].trial, None, state="failed", attempts=({"reason": f"x{ESCAPE}"},))
    write_report(study, rows, tmp_path)
    print_status(study, rows)
    texts = [path.read_text() for path in tmp_path.iterdir()]
    for text in [*texts, capsys.readouterr().out]:
        assert BIDI not in text
        assert ESCAPE not in text
    markdown = (tmp_path / "results.md").read_text()
    assert markdown_text(label) in markdown
    assert not re.search(r"(?<!\\)\]\(javascript", markdown)
    assert "<b>" not in (tmp_path / "report.html").read_text().partition("</style>")[2].replace(
        "<b>Not", ""
    )
    with (tmp_path / "results.csv").open(newline="") as file:
        assert {row["design"][0] for row in csv.DictReader(file)} == {"'", "b"}
