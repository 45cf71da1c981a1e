"""The description in a help text fits the terminal; usage and examples stay as they are."""

import sys
from io import StringIO

import pytest

from resnext.cli.help_text import wrapped, wrapped_description


def test_paragraphs_are_wrapped_and_indented_lines_are_not() -> None:
    example = "  resnext train --data photos/ --name photos"
    text = f"usage: resnext train [-h]\n\nTwo short\n--lines here.\n\nExamples:\n{example}\n"
    assert wrapped(text, 20) == (
        f"usage: resnext train [-h]\n\nTwo short --lines\nhere.\n\nExamples:\n{example}\n"
    )


def test_a_word_that_is_too_long_stays_whole() -> None:
    assert wrapped("see https://example.org/a-b-c-d now", 10) == (
        "see\nhttps://example.org/a-b-c-d\nnow"
    )


class Terminal(StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_the_block_sees_a_terminal_if_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", "12")
    with wrapped_description():
        assert sys.stdout.isatty()
        assert sys.stdout.encoding == "utf-8"
        print("one two three\n\n╭─ one two three ─╮")
    assert terminal.getvalue() == "one two\nthree\n\n╭─ one two three ─╮\n"


def test_a_closed_output_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with wrapped_description():
        assert not sys.stdout.isatty()
        print("one two three")
