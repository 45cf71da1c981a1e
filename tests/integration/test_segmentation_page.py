"""docs/segmentation.md: its commands run one after the other, on a small folder of shapes."""

import json
import re
import shlex
from pathlib import Path

import pytest
from mask_folders import write_shapes
from PIL import Image

from resnext.cli.main import main

PAGE = (Path(__file__).parents[2] / "docs/segmentation.md").read_text(encoding="utf-8")
(COMMANDS,) = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.slow
def test_the_commands_of_the_page_run_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_shapes(tmp_path / "shapes", num=60)
    monkeypatch.chdir(tmp_path)
    for command in COMMANDS.splitlines():
        program, *words = shlex.split(command)
        assert program == "resnext"
        capsys.readouterr()
        assert main(words) == 0, command
    (answer,) = json.loads(capsys.readouterr().out)
    assert answer["mask"].keys() == {"width", "height", "png"}
    assert answer["areas"][0]["class"] == "background"
    for folder in ("masks", "drawn"):
        with Image.open(f"{folder}/000.png") as picture:
            assert picture.size == (24, 24)
    assert "Images with the most wrong pixels" in Path("runs/shapes/report.html").read_text()
