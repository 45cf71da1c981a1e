"""What the documentation shows of studies works as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from pydantic import TypeAdapter

from resnext.api.study_file import open_study
from resnext.recipes.studies import STUDIES
from resnext.recipes.study_scale import Choice
from resnext.studies.space import Space, expand

PAGE = (Path(__file__).parents[2] / "docs" / "studies.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_python_of_the_page_runs_a_study(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(program, "studies.md", "exec"), {})
    assert re.search(r"at n = 3|Resolved", capsys.readouterr().out)
    assert (here / "studies" / "paths" / "report.html").exists()


def test_the_file_of_the_page_is_a_study(here: Path) -> None:
    (here / "photos").mkdir()
    (text,) = re.findall(r"(    # paths\.yaml\n(?:    .*\n)+)", PAGE)
    (here / "paths.yaml").write_text(re.sub("^    ", "", text, flags=re.MULTILINE))
    study = open_study("paths.yaml", Choice())
    assert [design.label for design in study.designs] == ["1x64d", "4x24d", "32x4d"]
    assert {comparison.than for comparison in study.comparisons} == {"1x64d"}


def test_each_space_of_the_page_has_designs() -> None:
    blocks = re.findall(r"(?:^    (?:space:|  ).*\n)+", PAGE, re.MULTILINE)
    texts = [re.sub("^    ", "", text, flags=re.MULTILINE) for text in blocks if "kind:" in text]
    spaces = [yaml.safe_load(text)["space"] for text in texts if text.startswith("space:  ")]
    assert [space["kind"] for space in spaces] == ["list", "grid", "random"]
    read = TypeAdapter(Space)
    assert [len(expand(read.validate_python(space))) for space in spaces] == [2, 4, 16]


def test_every_named_study_is_on_the_page() -> None:
    assert re.findall(r"^    ([a-z0-9-]+)  +\S", PAGE, re.MULTILINE)[: len(STUDIES)] == list(
        STUDIES
    )
