"""Pages that the program writes: its commands, its Python names, drawings of the paper's blocks.

They lie in `docs/reference` and `docs/project` (not in git) and in `docs/images/paper` (in git, so
that the Markdown pages also show them elsewhere).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import resnext
from resnext.cli.main import VERBS
from resnext.model.names import config_from
from resnext.page.block_drawing import draw_block

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

_COLUMNS = "96"

# Files outside of `docs`, and the pages of the site that show them.
_OUTSIDE = {
    "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changelog.md",
    "SECURITY.md": "project/reporting.md",
    "samples/README.md": "project/samples.md",
}
_LINK = re.compile(r"\]\((?P<target>[^):#\s]+)(?P<place>#[^)\s]*)?\)")
_STUDY_PAGE = re.compile(r"results/[\w-]+/results")
_OVERVIEW = re.compile(r"[\w-]+/README")
_MENU = "\n```{toctree}\n:hidden:\n:glob:\n\n[!R]*\n```\n"

_DRAWING_STYLE = (
    "<style>text{font:13px system-ui,sans-serif;fill:#222}"
    ".box{fill:#e8eef7;stroke:#1f5fa8}.plain{fill:#fff;stroke:#888}"
    ".line{fill:none;stroke:#444}.tip{fill:#444}.sum{fill:#fff;stroke:#444}"
    ".soft{fill:#666}</style>"
)

_PARTS = (
    ("Train, evaluate, predict", ("resnext.api", "resnext.evaluation", "resnext.inference.files")),
    ("Networks and their cost", ("resnext.model", "resnext.complexity")),
    ("Weights and repositories", ("resnext.inference", "resnext.hub")),
    ("Plugins", ("resnext.plugins",)),
)


def write_pages(_app: object) -> None:
    """Write what the program knows about itself."""
    _write(DOCS / "reference/command-line.rst", _command_line())
    _write(DOCS / "reference/python-names.rst", _python_names())
    for file, page in _OUTSIDE.items():
        text = (ROOT / file).read_text(encoding="utf-8")
        linked = _linked(text, seen_from=(ROOT / file).parent, shown_in=(DOCS / page).parent)
        _write(DOCS / page, linked)
    for name, drawing in drawings().items():
        _write(DOCS / "images/paper" / f"{name}.svg", drawing)


def adapt_page(_app: object, page: str, source: list[str]) -> None:
    """Lead links out of `docs` to the pages of the site that show those files."""
    folder = (DOCS / page).parent
    source[0] = _linked(source[0], seen_from=folder, shown_in=folder)
    if _STUDY_PAGE.fullmatch(page):  # reached from the page of its study, not from the menu
        source[0] = f"---\norphan: true\n---\n{source[0]}"
    if _OVERVIEW.fullmatch(page):  # the other pages of the folder come below it in the menu
        source[0] += _MENU


def _linked(text: str, seen_from: Path, shown_in: Path) -> str:
    """Return a page with its links to files led to where the site has them."""

    def lead(match: re.Match[str]) -> str:
        file = Path(os.path.normpath(seen_from / match["target"]))
        inside = file.is_relative_to(DOCS)
        page = DOCS / _OUTSIDE.get(str(file.relative_to(ROOT)), "") if not inside else file
        if page == DOCS:  # a file that is no page
            return match[0]
        if page.is_dir():
            page /= "README.md"
        return f"]({os.path.relpath(page, shown_in)}{match['place'] or ''})"

    return _LINK.sub(lead, text)


def drawings() -> dict[str, str]:
    """Return the paper's block in its forms, and the dense block beside them, as SVG files."""
    forms = {
        "resnet": config_from("resnet50"),
        "form-a": _in_form("a"),
        "form-b": _in_form("b"),
        "form-c": _in_form("c"),
    }
    return {name: _as_file(draw_block(config, name)) for name, config in forms.items()}


def _in_form(form: str) -> Any:
    return config_from("resnext50_32x4d", form=form)


def _as_file(svg: str) -> str:
    width, height = re.search(r'viewBox="0 0 (\S+) (\S+)"', svg).groups()
    sized = svg.replace("<svg ", f'<svg width="{width}" height="{height}" ', 1)
    return sized.replace(">", f">{_DRAWING_STYLE}", 1) + "\n"


def _write(path: Path, text: str) -> None:
    """Write a page if it is another one: Sphinx reads what is newer again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def _command_line() -> str:
    with ThreadPoolExecutor(2) as pool:
        helps = list(pool.map(_help, ("", *VERBS)))
    title = "Command line"
    lines = [title, "=" * len(title), "", "What ``resnext VERB --help`` prints.", ""]
    for verb, text in zip(("", *VERBS), helps, strict=True):
        name = f"resnext {verb}".strip()
        lines += [name, "-" * len(name), "", ".. code-block:: text", ""]
        lines += [f"   {line}".rstrip() for line in text.splitlines()] + [""]
    return "\n".join(lines) + "\n"


def _help(verb: str) -> str:
    words = [sys.executable, "-m", "resnext", *verb.split(), "--help"]
    environment = os.environ | {"COLUMNS": _COLUMNS, "NO_COLOR": "1", "TERM": "dumb"}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def _python_names() -> str:
    title = "Python names"
    lines = [title, "=" * len(title), "", ".. module:: resnext", ""]
    left = set(resnext.__all__)
    for heading, packages in _PARTS:
        here = sorted(name for name in left if _home(name).startswith(packages))
        left -= set(here)
        lines += [heading, "-" * len(heading), "", *_described(here)] if here else []
    if left:
        raise RuntimeError(f"docs/_ext/generated.py: no part for {sorted(left)}")
    return "\n".join(lines) + "\n"


def _home(name: str) -> str:
    return str(getattr(resnext, name).__module__)


def _described(names: list[str]) -> list[str]:
    lines = []
    for name in names:
        if isinstance(getattr(resnext, name), type):
            lines += [f".. autoclass:: {name}", "   :members:", ""]
        else:
            lines += [f".. autofunction:: {name}", ""]
    return lines
