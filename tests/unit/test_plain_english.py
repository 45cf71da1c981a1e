"""Documentation avoids literal and dated phrases that once made it hard to read."""

from pathlib import Path

ROOT = Path(__file__).parents[2]

PHRASES = (
    "anew",
    "begun with",
    "by itself",
    "by the speed of late",
    "by themselves",
    "errs on",
    "for ever",
    "gives way",
    "goes by",
    "goes on with",
    "going on with",
    "gone on with",
    "go on with",
    "has the GPUs",
    "is asked nothing",
    "is bidden",
    "is held against",
    "is opened so",
    "is told",
    "it is told",
    "mend",
    "mended",
    "mends",
    "of late",
    "of one's own",
    "of yours",
    "our fault",
    "remembers it",
    "save those",
    "shows of itself",
    "stands beside",
    "stands in",
    "tells of",
    "the digits compare",
    "the digits do not compare",
    "they show and what not",
    "told so",
    "what there was to gain",
    "what they show and what not",
    "who has",
    "with what they show",
)
"""Matched as whole words, in any letter case and across line breaks."""

FILES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "SECURITY.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
GENERATED = ("docs/results/", "docs/settings.md")
