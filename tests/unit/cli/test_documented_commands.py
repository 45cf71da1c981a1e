"""Every command of the documentation and of `--help` is one that the program takes."""

import ast
import importlib
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from command import Command

from resnext.cli import main as program
from resnext.cli.settings_reference import reference

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", ROOT / "samples/README.md", *sorted((ROOT / "docs").rglob("*.md"))]
VERB_FILES = sorted((ROOT / "src/resnext/cli").glob("*.py"))

CHEAP = ("describe ", "design ", "settings", "study list", "weights list", "weights info")
"""Beginnings of commands that need no images, no run and no GPU."""

NOT_CHEAP = re.compile(r"--by latency|--latency|/|\.(yaml|pth|safetensors|png|svg|csv|onnx|py)\b")
"""Slow ones, and those that read or write a file."""


class Parsed(Exception):  # noqa: N818 - no error: where a command is left once it is read
    """Carries the arguments of a command."""


def commands(text: str, prompt: str) -> list[str]:
    """Return the commands of a text, continued lines joined."""
    joined = re.sub(r" *\\\n\s*", " ", text)
    return re.findall(rf"^{prompt}resnext ([a-z].*)$", joined, re.MULTILINE)


def documented() -> dict[str, list[str]]:
    """Return each command with the places where it stands."""
    found: dict[str, list[str]] = {}
    for page in PAGES:
        for command in commands(page.read_text(encoding="utf-8"), r" {4}(?:\$ )?"):
            found.setdefault(command, []).append(str(page.relative_to(ROOT)))
    for file in VERB_FILES:
        doc = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
        for command in commands(doc, "  "):
            found.setdefault(command, []).append(file.name)
    for command in commands(program._EXAMPLES, "  "):
        found.setdefault(command, []).append("resnext --help")
    return found


DOCUMENTED = documented()
KEYS = {setting.key for setting in reference()}


def stop_once_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every verb end as soon as it has read its arguments."""
    for file in VERB_FILES:
        module = importlib.import_module(f"resnext.cli.{file.stem}")
        parse: Any = getattr(module, "parse", None)
        if parse is None or file.stem == "arguments":
            continue

        def read(*given: Any, parse: Any = parse, **options: Any) -> None:
            raise Parsed(parse(*given, **options))

        monkeypatch.setattr(module, "parse", read)


def test_commands_are_found_where_they_stand() -> None:
    places = {place for places in DOCUMENTED.values() for place in places}
    assert {"README.md", "docs/start.md", "docs/data.md", "train.py", "resnext --help"} <= places
    assert len(DOCUMENTED) > 100


@pytest.mark.slow
@pytest.mark.parametrize("command", DOCUMENTED)
def test_a_documented_command_is_one_that_its_verb_takes(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    verb, *words = shlex.split(re.sub(r" > \S+$", "", command), comments=True)
    assert verb in program.VERBS, DOCUMENTED[command]
    _, (_, *words) = program._take_plugins([verb, *words])  # as `main` does for every verb
    stop_once_read(monkeypatch)
    with pytest.raises(Parsed) as stopped:
        importlib.import_module(f"resnext.cli.{verb}").main(words)
    (arguments,) = stopped.value.args
    given = getattr(arguments, "set", ())
    assert {text.partition("=")[0] for text in given} <= KEYS, DOCUMENTED[command]


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [one for one in DOCUMENTED if one.startswith(CHEAP) and not NOT_CHEAP.search(one)],
)
@pytest.mark.usefixtures("here")
def test_a_cheap_command_runs_as_it_is_written(command: str) -> None:
    assert program.main(shlex.split(command, comments=True)) == 0


def test_the_figures_of_the_readme_are_what_the_command_prints(command: Command) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"^    \$ resnext (design .*)\n\n((?:    .*\n|\n)+)", text, re.MULTILINE)
    assert found is not None
    printed = command.prints(*shlex.split(found[1]))
    numbers = re.findall(r"\d[\d,]{5,}", found[2])
    assert len(numbers) > 12
    assert [number for number in numbers if number not in printed] == []
