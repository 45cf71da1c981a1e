import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnext.untrusted.text import csv_cell, markdown_text, printable, printable_lines


@given(st.text())
def test_printable_text_contains_nothing_that_acts(text: str) -> None:
    safe = printable(text)
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in safe)
    assert "\u202e" not in safe
    safe.encode("utf-8")  # no unpaired surrogate


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
        ("a\r\nb", r"a\r\nb"),
        ("\x9b31m", r"\x9b31m"),
        ("abc\u202edef", r"abc\u202edef"),
        ("\udcff", r"\udcff"),
        ("Grüße 犬 👍🏽", "Grüße 犬 👍🏽"),
    ],
)
def test_what_acts_is_shown_escaped_and_the_rest_stays(text: str, expected: str) -> None:
    assert printable(text) == expected


def test_lines_stay_lines() -> None:
    assert printable_lines("a\n\x1b[2Jb") == "a\n\\x1b[2Jb"


@pytest.mark.parametrize(
    "text", ["=1+1", "\uff1d1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", " =1", "\r=cmd|'x'!A"]
)
def test_a_csv_cell_never_begins_like_a_formula(text: str) -> None:
    file = io.StringIO()
    csv.writer(file).writerow([csv_cell(text)])
    cell = next(csv.reader(io.StringIO(file.getvalue())))[0]
    assert cell.lstrip()[0] not in "=+-@"


def test_numbers_and_ordinary_texts_stay_as_they_are_in_csv() -> None:
    assert [csv_cell(value) for value in (-1.5, 3, None, "cat")] == [-1.5, 3, None, "cat"]


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "![x](http://127.0.0.1/x.png)",
        "a|b",
        "`code`",
        "https://127.0.0.1/",
        "# title",
        "1. list",
        "- list",
        "_emphasis_ and __strong__",
        "www.example.org",
        "a@example.org",
        "line\n---\n# heading",
        "\\",
        "$x^2$ :smile:",
        "&lt;b&gt;",
        "<http://127.0.0.1>",
    ],
)
def test_markdown_shows_the_text_and_nothing_else(text: str) -> None:
    markdown_it = pytest.importorskip("markdown_it")
    for preset in ("commonmark", "gfm-like"):
        try:
            html = markdown_it.MarkdownIt(preset).render(markdown_text(text))
        except ModuleNotFoundError:  # gfm-like links addresses through another package
            html = markdown_it.MarkdownIt(preset, {"linkify": False}).render(markdown_text(text))
        tags = {part.partition(">")[0] for part in html.split("<")[1:]}
        assert tags <= {"p", "/p"}, html
