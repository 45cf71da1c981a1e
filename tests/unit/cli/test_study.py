from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from resnext.cli.main import main
from resnext.cli.study import _root
from resnext.cli.study_arguments import StudyStatus
from resnext.cli.study_file import open_study
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


def test_list_names_every_study_with_what_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert list(listed) == list(STUDIES)
    assert listed["table3"].startswith("Table 3: cardinality against width")


def test_show_gives_the_paper_s_costs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "show", "table3", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    costs = {entry["name"]: entry["macs"] for entry in shown["designs"]}
    assert costs["resnet50"] == 4_089_185_256
    assert costs["resnext101_32x4d"] == 7_969_997_800
    assert shown["trials"] == 30


def test_show_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "show", "residual", "--scale", "small", "--data", "digits"]) == 0
    out = capsys.readouterr().out
    assert "1x16d without shortcuts" in out
    assert "4 designs x 1 data set(s) x 3 seed(s) = 12 trials" in out


def test_a_study_runs_and_is_reported_and_timed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "tiny.yaml"
    file.write_text(TINY)
    arguments = [str(file), "--root", str(tmp_path)]
    assert main(["study", "status", *arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["states"] == {"missing": 1}
    assert main(["study", "report", *arguments]) == 2
    assert "no trial of tiny has finished" in capsys.readouterr().err
    assert main(["study", "run", *arguments, "--threads", "1", "--quiet", "--json"]) == 0
    trial = json.loads(capsys.readouterr().out)["trials"][0]
    assert trial["state"] == "done"
    assert (trial["threads"], trial["processes"]) == (1, 1)
    assert main(["study", "run", *arguments, "--threads", "2", "--quiet"]) == 2
    assert "threads=2: tiny was begun with 1" in capsys.readouterr().err
    assert main(["study", "status", str(tmp_path / "tiny")]) == 0
    assert "1 thread, 1 process" in capsys.readouterr().out
    assert main(["study", "report", str(tmp_path / "tiny"), "--time", "--quiet"]) == 0
    times = json.loads((tmp_path / "tiny" / "timing.json").read_text())
    assert [row["label"] for row in times] == ["resnext_1-1_2x4d_cifar"]
    assert times[0]["step_ms_low"] <= times[0]["step_ms"] <= times[0]["step_ms_high"]
    assert "inference" in (tmp_path / "tiny" / "report.html").read_text()
    figures = tmp_path / "paper"
    to_paper = ["study", "report", str(tmp_path / "tiny"), "--figures", str(figures)]
    assert main(to_paper) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[2].startswith("Nothing is compared: “resnext_1-1_2x4d_cifar” has a top")
    names = ["tiny-errors.pdf", "tiny-errors.svg", "tiny-table.tex"]
    assert sorted(path.name for path in figures.iterdir()) == names
    assert all(f"wrote {figures / name}" in out for name in names)
    assert main(to_paper) == 2
    assert "tiny-errors.pdf exists; choose another folder or add --force" in capsys.readouterr().err
    assert main([*to_paper, "--force", "--quiet"]) == 0


def test_an_interrupted_study_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise Interrupted(signal.SIGINT, "stopped by SIGINT")

    monkeypatch.setattr("resnext.studies.execution.scheduler.run_study", interrupt)
    file = tmp_path / "tiny.yaml"
    file.write_text(TINY)
    arguments = ["study", "run", str(file), "--root", str(tmp_path), "--quiet", "--json"]
    assert main(arguments) == 128 + signal.SIGINT
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"stopped by SIGINT; go on with: resnext study run {tmp_path / 'tiny'}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["foo"], "'foo' is no action of `resnext study`; give list, show, run, status, report"),
        (["run"], "name a study"),
        (["list", "table3"], "NAME has no effect on `study list`"),
        (["status", "table3", "--jobs", "2"], "--jobs has no effect on `study status`"),
        (["run", "table3", "--time"], "--time has no effect on `study run`; it belongs to report"),
        (["run", "table3", "--figures", "x"], "--figures has no effect on `study run`"),
        (["report", "table3", "--force"], "--force replaces files in the folder of --figures"),
        (["run", "tabel3"], "did you mean 'table3'"),
        (["run", "table3", "--scale", "small"], "needs its images"),
        (["run", "table3", "--scale", "small", "--data", "digits", "--jobs", "0"], "jobs=0"),
        (["run", "missing.yaml"], "cannot read missing.yaml"),
    ],
)
def test_a_wrong_request_is_one_message(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["study", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_another_study_of_the_same_name_is_not_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "tiny.yaml"
    file.write_text(TINY)
    arguments = ["study", "run", str(file), "--root", str(tmp_path), "--threads", "1", "--quiet"]
    assert main(arguments) == 0
    file.write_text(TINY.replace("epochs: 1", "epochs: 2"))
    assert main(arguments) == 2
    assert "another place" in capsys.readouterr().err


@pytest.mark.parametrize("name", [".", "../tiny", ".."])
def test_a_study_is_found_from_inside_its_folder(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY)
    settle_folder(open_study(str(tmp_path / "tiny.yaml"), Choice()), tmp_path)
    here = tmp_path / "tiny" / "deeper" if name == ".." else tmp_path / "tiny"
    here.mkdir(exist_ok=True)
    monkeypatch.chdir(here)
    assert main(["study", "status", name, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["states"] == {"missing": 1}
    assert _root(StudyStatus(name=name)).resolve() == tmp_path.resolve()


def test_a_study_is_found_by_its_name_below_the_root(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY)
    settle_folder(open_study(str(tmp_path / "tiny.yaml"), Choice()), tmp_path)
    assert main(["study", "status", "tiny", "--root", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["states"] == {"missing": 1}
    assert main(["study", "status", "table3", "--root", str(tmp_path / "nowhere")]) == 2
    assert "there is no such folder" in capsys.readouterr().err


def test_random_designs_are_not_timed(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["design-space", "--scale", "small", "--data", "digits", "--time"]
    assert main(["study", "report", *arguments]) == 2
    assert "--time measures designs that are compared one by one" in capsys.readouterr().err
