"""The architecture page names files that exist and the layers that the linter checks."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
MAX_FILES_TO_THE_LOSS = 15
NAMES_WIDTH = 44  # columns of the drawing before the descriptions


def test_the_files_and_folders_that_it_names_exist() -> None:
    named = set(re.findall(r"`([a-z_0-9/]+(?:\.py|/))`", PAGE))
    assert len(named) > 40
    homes = (ROOT, ROOT / "src/resnext")
    missing = [name for name in named if not any((home / name).exists() for home in homes)]
    assert missing == []


def test_its_layers_are_those_of_the_linter() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    layers = [
        {name.strip().removeprefix("resnext.") for name in layer.split("|")}
        for layer in contracts[0]["layers"]
    ]
    drawing = PAGE.split("```")[1].strip().splitlines()
    drawn = [set(line[:NAMES_WIDTH].split()) for line in drawing]
    assert drawn == layers


def test_a_reader_crosses_few_files_from_the_command_to_the_loss() -> None:
    table = PAGE.split("## The path of a training step")[1].split("##")[0]
    assert 10 < len(re.findall(r"^\| `", table, re.MULTILINE)) <= MAX_FILES_TO_THE_LOSS
