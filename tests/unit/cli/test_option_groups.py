"""`--help` shows the common options on one screen, then the others under titles."""

from __future__ import annotations

import importlib
import re
from collections import Counter
from dataclasses import fields
from pathlib import Path

import pytest
from command import Command

from resnext.cli.arguments import parse
from resnext.cli.evaluate import Evaluate
from resnext.cli.main import VERBS
from resnext.cli.option_groups import flattened, grouped, groups_of
from resnext.cli.option_titles import OPTION_TITLES
from resnext.cli.study_arguments import ACTIONS
from resnext.cli.train import Train

CALLS = (
    *((verb,) for verb in VERBS if verb not in ("study", "data", "weights")),
    *(("study", action) for action in ACTIONS),
    ("data", "imagenet"),
    ("weights", "verify"),
)
LINES_OF_A_SCREEN = 40


def kinds() -> dict[str, type]:
    """Return the classes of all verbs and actions by name."""
    modules = [importlib.import_module(f"resnext.cli.{verb}") for verb in VERBS]
    found = [value for module in modules for value in vars(module).values()]
    return {one.__name__: one for one in found if isinstance(one, type)}


@pytest.mark.parametrize("words", CALLS, ids=" ".join)
def test_common_options_fit_on_one_screen(
    words: tuple[str, ...], command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    lines = command.help(*words).splitlines()
    (start,) = (n for n, line in enumerate(lines) if re.fullmatch(r"\W*options\W*", line))
    end = next(n for n, line in enumerate(lines) if n > start + 1 and not re.search(r"\w", line))
    assert end - start < LINES_OF_A_SCREEN


def test_titled_options_follow_the_common_ones(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    text = command.help("train")
    found = re.findall(r"^\W*([a-z -]* )?options\W*$|^\W+(--[\w-]+)", text, re.MULTILINE)
    titles = [title.strip() for title, option in found if not option]
    assert titles == ["", "fine-tuning", "training", "run folder", "speed", "output"]
    options = [option.removeprefix("--") for _, option in found if option]
    listed = " ".join(OPTION_TITLES["Train"].values()).replace("_", "-").split()
    assert options == [name.rstrip("-") for name in listed]


def test_every_title_is_for_options_that_exist_and_none_has_two() -> None:
    known = kinds()
    for name, titles in OPTION_TITLES.items():
        options = " ".join(titles.values()).split()
        assert set(options) <= {one.name for one in fields(known[name])}, name
        assert max(Counter(options).values()) == 1, name


def test_an_option_without_a_title_comes_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OPTION_TITLES, "Evaluate", {"": "run data", "speed": "workers"})
    groups = groups_of(Evaluate)
    assert list(groups) == ["", "speed", "other"]
    names = [name for group in groups.values() for name in group]
    assert sorted(names) == sorted(one.name for one in fields(Evaluate))


def test_grouped_options_are_read_into_the_flat_class() -> None:
    words = ["--data", "photos/", "--tune", "--continue", "--out", "x", "--early-stopping"]
    words += ["--set", "a=1", "b=2"]
    assert parse(Train, words, None) == Train(
        data="photos/",
        tune=True,
        continue_=True,
        out=Path("x"),
        set=("a=1", "b=2"),
        early_stopping=(),
    )
    assert flattened(grouped(Train)(), Train) == Train()


def test_the_text_of_an_option_is_one_paragraph(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    assert "start it. For environments that restart" in command.help("train")
