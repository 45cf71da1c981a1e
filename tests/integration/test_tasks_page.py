"""docs/tasks.md: its task of one's own is trained, evaluated, asked and exported as it says."""

import json
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from digit_tables import write_digit_tables

from resnext import plugins
from resnext.cli.main import main
from resnext.runs.metrics_log import read_metrics
from resnext.tasks import kinds

PAGE = (Path(__file__).parents[2] / "docs/tasks.md").read_text(encoding="utf-8")
(PLUGIN,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
(COMMANDS,) = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the working folder; what is loaded is forgotten again."""
    (tmp_path / "regression.py").write_text(PLUGIN)
    write_digit_tables(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(plugins.VARIABLE, "")
    monkeypatch.setattr(plugins, "_loaded", {})
    monkeypatch.setattr(kinds, "_KINDS", dict(kinds._KINDS))
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("resnext_plugin_")]:
        del sys.modules[name]


@pytest.mark.slow
def test_the_commands_of_the_page_run_one_after_the_other(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = ""
    for command in COMMANDS.splitlines():
        program, *words = shlex.split(command)
        assert program == "resnext"
        capsys.readouterr()
        assert main(words) == 0, command
        if "--json" in words:
            output = capsys.readouterr().out
    (answer,) = json.loads(output)
    assert answer["numbers"].keys() == {"loops"}
    assert 0.5 < answer["numbers"]["loops"] < 1.5  # the first digit is a 0
    epochs = [row for row in read_metrics(folder / "runs/loops") if row["kind"] == "epoch"]
    best = min(row["mean_error"] for row in epochs)
    assert best < 0.7 * epochs[-1]["guess"]
    assert (folder / "runs/loops/report.html").exists()
    assert (folder / "loops.onnx").exists()
