from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from command import Command

from resnext.api.study_file import open_study
from resnext.cli.main import main
from resnext.cli.study import _root
from resnext.cli.study_arguments import StudyStatus
from resnext.recipes.studies import STUDIES
from resnext.recipes.study_scale import Choice
from resnext.studies.records.study_folder import settle_folder
from resnext.training.interrupt import Interrupted

TINY = """\
name: tiny
space:
  kind: list
  networks: [{name: resnext_1-1_2x4d_cifar, stem_width: 8, stage_widths: [16, 32]}]
data: [digits]
set: {schedule.epochs: 1, data.num_train: 64}
seeds: [0]
"""


def test_list_names_every_study_with_what_it_is(command: Command) -> None:
    listed = command.json("study", "list")
    assert list(listed) == list(STUDIES)
    assert listed["table3"].startswith("Table 3: cardinality against width")


def test_show_gives_the_paper_s_costs(command: Command) -> None:
    shown = command.json("study", "show", "table3")
    costs = {entry["name"]: entry["macs"] for entry in shown["designs"]}
    assert costs["resnet50"] == 4_089_185_256
    assert costs["resnext101_32x4d"] == 7_969_997_800
    assert shown["trials"] == 30


def test_show_prints_a_table(command: Command) -> None:
    out = command.prints("study", "show", "residual", "--scale", "small", "--data", "digits")
    assert "1x16d without shortcuts" in out
    assert "4 designs x 1 data set(s) x 3 seed(s) = 12 trials" in out


@pytest.mark.slow
def test_a_study_runs_and_is_reported_and_timed(tmp_path: Path, command: Command) -> None:
    file = tmp_path / "tiny.yaml"
    file.write_text(TINY)
    arguments = [str(file), "--root", str(tmp_path)]
    assert command.json("study", "status", *arguments)["states"] == {"missing": 1}
    assert "no trial of tiny has finished" in command.refusal("study", "report", *arguments)
    trial = command.json("study", "run", *arguments, "--threads", "1", "--quiet")["trials"][0]
    assert trial["state"] == "done"
    assert (trial["threads"], trial["processes"]) == (1, 1)
    assert "threads=2: tiny was started with 1" in command.refusal(
        "study", "run", *arguments, "--threads", "2", "--quiet"
    )
    assert "1 thread, 1 process" in command.prints("study", "status", tmp_path / "tiny")
    assert main(["study", "report", str(tmp_path / "tiny"), "--time", "--quiet"]) == 0
    times = json.loads((tmp_path / "tiny" / "timing.json").read_text())
    assert [row["label"] for row in times] == ["resnext_1-1_2x4d_cifar"]
    assert times[0]["step_ms_low"] <= times[0]["step_ms"] <= times[0]["step_ms_high"]
    assert "inference" in (tmp_path / "tiny" / "report.html").read_text()
    figures = tmp_path / "paper"
    to_paper = ["study", "report", str(tmp_path / "tiny"), "--figures", str(figures)]
    out = command.prints(*to_paper)
    assert out.splitlines()[2].startswith("Nothing is compared: “resnext_1-1_2x4d_cifar” has a top")
    names = ["tiny-errors.pdf", "tiny-errors.svg", "tiny-table.tex"]
    assert sorted(path.name for path in figures.iterdir()) == names
    assert all(f"wrote {figures / name}" in out for name in names)
    assert "tiny-errors.pdf exists; choose another folder or add --force" in command.refusal(
        *to_paper
    )
    assert main([*to_paper, "--force", "--quiet"]) == 0


def test_an_interrupted_study_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    def interrupt(*_: object) -> None:
        raise Interrupted(signal.SIGINT, "stopped by SIGINT")

    monkeypatch.setattr("resnext.studies.execution.scheduler.run_study", interrupt)
    file = tmp_path / "tiny.yaml"
    file.write_text(TINY)
    answer = command("study", "run", file, "--root", tmp_path, "--quiet", "--json")
    told = f"stopped by SIGINT; resume with: resnext study run {tmp_path / 'tiny'}\n"
    assert answer == (128 + signal.SIGINT, "", told)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["foo"], "'foo' is not an action of `resnext study`; give list, show, run, status"),
        (["run"], "give a study"),
        (["list", "table3"], "NAME has no effect on `study list`"),
        (["status", "table3", "--jobs", "2"], "--jobs has no effect on `study status`"),
        (["run", "table3", "--time"], "--time has no effect on `study run`; it belongs to report"),
        (["run", "table3", "--figures", "x"], "--figures has no effect on `study run`"),
        (["report", "table3", "--force"], "--force replaces files in the folder of --figures"),
        (["run", "tabel3"], "did you mean 'table3'"),
        (["run", "table3", "--scale", "small"], "needs images"),
        (["run", "table3", "--scale", "small", "--data", "digits", "--jobs", "0"], "jobs=0"),
        (["run", "missing.yaml"], "cannot read missing.yaml"),
    ],
)
@pytest.mark.usefixtures("here")
def test_a_wrong_request_is_one_message(
    arguments: list[str], message: str, command: Command
) -> None:
    assert message in command.refusal("study", *arguments)


@pytest.mark.slow
def test_another_study_of_the_same_name_is_not_overwritten(
    tmp_path: Path, command: Command
) -> None:
    file = tmp_path / "tiny.yaml"
    file.write_text(TINY)
    arguments = ["study", "run", str(file), "--root", str(tmp_path), "--threads", "1", "--quiet"]
    assert main(arguments) == 0
    file.write_text(TINY.replace("epochs: 1", "epochs: 2"))
    assert "contains a study of the same name" in command.refusal(*arguments)


@pytest.mark.parametrize("name", [".", "../tiny", ".."])
def test_a_study_is_found_from_inside_its_folder(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY)
    settle_folder(open_study(str(tmp_path / "tiny.yaml"), Choice()), tmp_path)
    here = tmp_path / "tiny" / "deeper" if name == ".." else tmp_path / "tiny"
    here.mkdir(exist_ok=True)
    monkeypatch.chdir(here)
    assert command.json("study", "status", name)["states"] == {"missing": 1}
    assert _root(StudyStatus(name=name)).resolve() == tmp_path.resolve()


def test_a_study_is_found_by_its_name_below_the_root(tmp_path: Path, command: Command) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY)
    settle_folder(open_study(str(tmp_path / "tiny.yaml"), Choice()), tmp_path)
    assert command.json("study", "status", "tiny", "--root", tmp_path)["states"] == {"missing": 1}
    assert "there is no such folder" in command.refusal(
        "study", "status", "table3", "--root", tmp_path / "nowhere"
    )


def test_random_designs_are_not_timed(command: Command) -> None:
    arguments = ["design-space", "--scale", "small", "--data", "digits", "--time"]
    assert "--time is for studies that compare designs individually" in command.refusal(
        "study", "report", *arguments
    )
