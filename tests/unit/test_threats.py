"""Each line of the threat list names a test, and that test exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_LINES = [
    line
    for line in (_ROOT / "docs" / "threats.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and "::" in line
]


@pytest.mark.parametrize("line", _LINES, ids=range(len(_LINES)))
def test_the_test_of_a_threat_exists(line: str) -> None:
    _, threat, prevented_by, test, _ = line.split("|")
    assert threat.strip()
    assert prevented_by.strip()
    for path, name in re.findall(r"`([^`:]+)::([^`]+)`", test):
        tree = ast.parse((_ROOT / "tests" / path).read_text(encoding="utf-8"))
        functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert name in functions, f"{path} has no test {name}"


def test_the_list_is_not_empty() -> None:
    assert len(_LINES) >= 30
