"""Documentation avoids literal and dated phrases that once made it hard to read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PHRASES = (
    "a bug of ours",
    "an empty house",
    "and tells",
    "anew",
    "are told",
    "ask without a pause",
    "asked nothing",
    "begun with",
    "by itself",
    "by the speed of late",
    "by the wall",
    "come nearest",
    "errs on",
    "for ever",
    "for who has",
    "given up for others",
    "goes on with",
    "going on with",
    "gone on with",
    "held against the",
    "is asked nothing",
    "is no part of",
    "is no success",
    "is opened so",
    "is told",
    "judges whole images",
    "looked into",
    "made ones",
    "mend",
    "mended",
    "mends",
    "not at hand",
    "of late",
    "of one's own",
    "of somebody's own",
    "of yours",
    "our fault",
    "people write themselves",
    "stands beside",
    "stands in a",
    "stands in the",
    "stands under",
    "tells apart",
    "tells of",
    "tells which",
    "the digits do not compare",
    "to be said",
    "told of",
    "told so",
    "waits for company",
    "was told",
    "were at hand",
    "what ails",
    "what came of",
    "what they show and what not",
    "which tells",
    "who has the GPUs",
    "worked off",
    "would fare",
)
"""Matched as whole words, in any letter case and across line breaks."""

DOCUMENTS = (
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "SECURITY.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
)
# The program writes these pages from sentences in `src`.
GENERATED = (ROOT / "docs/settings.md", *(ROOT / "docs/results").glob("*/*.md"))
SEARCHED = [file for file in DOCUMENTS if file not in GENERATED]

_WORDS = "|".join(r"\s+".join(phrase.split()) for phrase in PHRASES)
PATTERN = re.compile(rf"\b({_WORDS})\b", re.IGNORECASE)


def prose(file: Path) -> str:
    """Return a text without the commands and the program output that Markdown quotes."""
    text = file.read_text(encoding="utf-8")
    if file.suffix != ".md":
        return text
    text = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"^ {4}.*$", "", text, flags=re.MULTILINE)


@pytest.mark.parametrize("file", SEARCHED, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_text_has_no_dated_phrase(file: Path) -> None:
    found = [" ".join(match[0].split()) for match in PATTERN.finditer(prose(file))]
    assert found == []


def test_the_sources_have_no_dated_phrase() -> None:
    sources = [
        file
        for folder in ("src", "bench")
        for file in (ROOT / folder).rglob("*")
        if file.suffix in (".py", ".j2", ".css")
    ]
    assert len(sources) > 500
    found = {str(file): PATTERN.findall(prose(file)) for file in sources}
    assert {file: phrases for file, phrases in found.items() if phrases} == {}


def test_phrases_are_found_as_words_and_across_lines() -> None:
    assert PATTERN.search("A run is\n  Told to stop, anew.")
    assert PATTERN.search("The network is renewed and amended.") is None
