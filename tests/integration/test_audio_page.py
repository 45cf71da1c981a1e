"""docs/audio.md: its commands run one after the other, on a small folder of tones."""

import json
import re
import shlex
from pathlib import Path

import pytest
from made_audio import write_tones

from resnext.cli.main import main

PAGE = (Path(__file__).parents[2] / "docs/audio.md").read_text(encoding="utf-8")
COMMANDS, DESCRIBE, _SERVE = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.slow
def test_the_commands_of_the_page_run_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tones(tmp_path / "sounds", 20)
    monkeypatch.chdir(tmp_path)
    short = {"train": ["--epochs", "12", "--lr", "4e-3", "--batch-size", "8", "--threads", "1"]}
    for command in [*COMMANDS.splitlines(), *DESCRIBE.splitlines()]:
        program, *words = shlex.split(command)
        assert program == "resnext"
        assert main([*words, *short.get(words[0], [])]) == 0, command
        if "--json" in words:
            answers = json.loads(capsys.readouterr().out)
            assert len(answers) == 12
        capsys.readouterr()
    assert "mel bands x windows" in Path("runs/sounds/report.html").read_text()
