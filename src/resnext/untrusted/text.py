"""Text from outside, made safe for the place where it is shown.

Class names, file names, card fields and error messages of libraries may contain anything: escape
sequences that rewrite a terminal, characters that reverse the direction of text, formulas that
a spreadsheet executes, markup. HTML has `html.escape` and Jinja's autoescape.
"""

from __future__ import annotations

import re
import unicodedata

# `_` inside a word is a letter; marks of headings and lists count at the beginning only.
_MARKDOWN = re.compile(
    r"[\\`*{}\[\]<>|~&$@:]|(?<![^\W_])_|_(?![^\W_])|^[-+#=]|(?<=www)\.", re.IGNORECASE
)
_LIST_NUMBER = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")
_FORMULA_STARTS = tuple("=+-@＝＋－＠")  # noqa: RUF001 - spreadsheets take the full-width ones too
# Directions of text: they make a line read other than it is.
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def printable(text: str) -> str:
    r"""Return text on one line that only prints: whatever else it does is shown escaped.

    Control characters (ESC, BEL, carriage return, line feed, C1), line separators, direction
    marks and unpaired surrogates become `\x1b`, `\n`, `\u202e` and so on.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(char) if _acts(char) else char for char in text)


def printable_lines(text: str) -> str:
    """Return text that only prints, and keep its line feeds."""
    return "\n".join(printable(line) for line in text.split("\n"))


def csv_cell(value: object) -> object:
    """Return a value for a CSV file that a spreadsheet does not execute.

    A text that begins like a formula, also after white space, gets an apostrophe in front, as
    OWASP advises (https://owasp.org/www-community/attacks/CSV_Injection). Numbers stay.
    """
    if not isinstance(value, str):
        return value
    text = printable(value)
    return f"'{text}" if text.lstrip().startswith(_FORMULA_STARTS) else text


def markdown_text(text: str) -> str:
    """Return text that Markdown shows as it is: no HTML, link, image, table cell or mark-up."""
    escaped = _MARKDOWN.sub(r"\\\g<0>", printable(text))
    escaped = _LIST_NUMBER.sub(r"\1\\\2", escaped)
    return escaped.replace("\\<", "&lt;").replace("\\>", "&gt;")


def _acts(char: str) -> bool:
    return char in _DIRECTIONS or unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")


def _escaped(char: str) -> str:
    named = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}.get(char)
    if named is not None:
        return named
    return f"\\x{ord(char):02x}" if ord(char) < 0x100 else f"\\u{ord(char):04x}"
