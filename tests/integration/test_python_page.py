"""The page on Python, executed from its own code blocks, one after the other."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
import shutil
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest

import resnext
from resnext.api.settings import as_assignments
from resnext.api.study_start import named_study
from resnext.data.sets.parse import parse_data
from resnext.recipes.study_scale import Choice

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/python.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
OPTIONAL = ("accelerate",)
"""Libraries whose example is left out where they are not installed."""

STUDY = "resnext.run_study("
"""In the block that is not run: its trials take a minute. `test_python_api` runs a smaller one."""

SHORTER = {
    '"digits", epochs=2,': '"digits", model="resnext_1-1_2x4d_cifar", epochs=2,',
    "run.export()  ": 'run.export(to="torchscript")  ',
}
"""What is run in place of parts of the page that take long."""


def run_block(block: str, names: dict[str, Any]) -> object:
    """Run a block, and return what its last line is worth if that is an expression."""
    tree = ast.parse(block)
    last = tree.body[-1]
    if not isinstance(last, ast.Expr):
        exec(compile(tree, "python.md", "exec"), names)
        return None
    exec(compile(ast.Module(tree.body[:-1], []), "python.md", "exec"), names)
    return eval(compile(ast.Expression(last.value), "python.md", "eval"), names)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning:accelerate")
def test_the_examples_of_the_page_run(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pandas")
    shutil.copytree(ROOT / "samples", "samples")
    names: dict[str, Any] = {}
    left_out = []
    for block in BLOCKS:
        if STUDY in block:
            continue
        for part, shorter in SHORTER.items():
            block = block.replace(part, shorter)
        missing = [
            library
            for library in OPTIONAL
            if f"from {library} import" in block and importlib.util.find_spec(library) is None
        ]
        if missing:
            left_out += missing
            continue
        names["last"] = run_block(block, names)
    assert capsys.readouterr().out.startswith("optim: learning_rate: no such setting")
    assert names["run"].metrics[-1]["epoch"] == 1
    assert names["epochs"]["epoch"].tolist() == [1, 2]
    assert names["found"][0].label == names["found"][1].label
    assert len(names["table"]) == 9
    assert names["designs"]["name"].tolist()[-1] == "resnext50_32x4d"
    for file in ("losses.png", "runs/digits/report.html"):
        assert (here / file).stat().st_size > 0
    if left_out:
        pytest.skip(f"all but the example of {', '.join(left_out)} ran")


def test_the_page_has_all_its_examples() -> None:
    assert len(BLOCKS) == 12
    assert sum(STUDY in block for block in BLOCKS) == 1
    assert all(part in PAGE for part in SHORTER)


def test_the_study_of_the_page_is_one() -> None:
    (block,) = (block for block in BLOCKS if STUDY in block)
    asked: dict[str, Any] = {}

    def run_study(study: str, data: str, **options: Any) -> SimpleNamespace:
        asked.update(study=study, data=data, **options)
        return SimpleNamespace(answer="", rows=[], report=None)

    names = {"resnext": SimpleNamespace(run_study=run_study), "pd": MagicMock()}
    exec(compile(block, "python.md", "exec"), names)
    inspect.signature(resnext.run_study).bind(**asked)
    changes = as_assignments(asked["settings"])
    choice = Choice(asked["scale"], (parse_data(asked["data"]),), (0,), None, changes)
    assert named_study(asked["study"], choice).name == "table3-small-digits"


def test_what_the_page_leaves_out_is_installed_for_the_tests() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        wanted = " ".join(tomllib.load(file)["project"]["optional-dependencies"]["dev"])
    assert all(library in wanted for library in OPTIONAL)


def test_every_public_function_that_does_the_work_of_a_verb_is_on_the_page() -> None:
    for name in ("train", "open_run", "evaluate", "predict", "design", "run_study", "load"):
        assert name in resnext.__all__
        assert f"resnext.{name}" in PAGE, name
