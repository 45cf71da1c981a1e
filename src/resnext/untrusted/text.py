"""Makes untrusted text safe for display.

Class names, file names, card fields and error messages of libraries may contain anything: escape
sequences that rewrite a terminal, characters that reverse the direction of text, formulas that
a spreadsheet executes, markup. HTML has `html.escape` and Jinja's autoescape.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Mapping, Sequence

# `_` inside a word is a letter; marks of headings and lists count at the beginning only.
_MARKDOWN = re.compile(
    r"[\\`*{}\[\]<>|~&$@:]|(?<![^\W_])_|_(?![^\W_])|^[-+#=]|(?<=www)\.", re.IGNORECASE
)
_LIST_NUMBER = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")
_FORMULA_STARTS = tuple("=+-@＝＋－＠")  # noqa: RUF001 - spreadsheets take the full-width ones too
# Characters of the category "format" that are seen, or without which words and emoji fall apart;
# others are invisible, or reverse the direction of the text around them.
_HARMLESS_FORMATS = frozenset(
    "\u200c\u200d\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2"
    "\U000110bd\U000110cd"
)


def printable(text: str) -> str:
    r"""Return text on one line, with everything unprintable escaped.

    Control characters (ESC, BEL, carriage return, line feed, C1), line separators, direction
    marks, invisible characters and unpaired surrogates become `\x1b`, `\n`, `\u202e` and so on.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(char) if _acts(char) else char for char in text)


def printable_lines(text: str) -> str:
    """Return text with everything unprintable escaped except line feeds."""
    return "\n".join(printable(line) for line in text.split("\n"))


def csv_cell(value: object) -> object:
    """Return a value for a CSV file that a spreadsheet will not execute.

    A text that begins like a formula, even after white space, is prefixed with an apostrophe, as
    OWASP advises (https://owasp.org/www-community/attacks/CSV_Injection), and so is one that begins
    with an apostrophe: removing a leading apostrophe restores every printable text. Numbers are
    unchanged.
    """
    if not isinstance(value, str):
        return value
    text = printable(value)
    return f"'{text}" if text.lstrip().startswith((*_FORMULA_STARTS, "'")) else text


def csv_table(rows: Sequence[Mapping[str, object]]) -> str:
    """Format rows with the same keys as CSV with a header; see `csv_cell`."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: csv_cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def markdown_text(text: str) -> str:
    """Escape text so that Markdown shows it literally."""
    escaped = _MARKDOWN.sub(r"\\\g<0>", printable(text))
    escaped = _LIST_NUMBER.sub(r"\1\\\2", escaped)
    return escaped.replace("\\<", "&lt;").replace("\\>", "&gt;")


def _acts(char: str) -> bool:
    category = unicodedata.category(char)
    return category in ("Cc", "Cf", "Cs", "Zl", "Zp") and char not in _HARMLESS_FORMATS


def _escaped(char: str) -> str:
    named = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}.get(char)
    if named is not None:
        return named
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
