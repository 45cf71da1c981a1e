"""The documentation site builds without a warning, and its links lead somewhere."""

from __future__ import annotations

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

pytest.importorskip("sphinx", reason="the extra `docs` is not installed")

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


class Page(HTMLParser):
    """The links of a page, and the places in it that links can lead to."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.places = {""}
        self.fetched: list[str] = []
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.places |= {values[name] for name in ("id", "name") if name in values}
        for name in ("href", "src"):
            if name in values:
                self.links.append(values[name])
                if tag in ("script", "link", "img"):
                    self.fetched.append(values[name])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    words = ["-q", "-W", "--keep-going", "-b", "html", "-d", str(folder / "trees")]
    places = [str(ROOT / "docs"), str(folder / "html")]
    command = [sys.executable, "-m", "sphinx", *words, *places]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "html"


def test_every_link_inside_the_site_leads_somewhere(site: Path) -> None:
    pages = {file: Page(file) for file in site.rglob("*.html") if "_static" not in file.parts}
    pages = {file: page for file, page in pages.items() if "_downloads" not in file.parts}
    broken = []
    for file, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            found = pages.get(target)
            if not target.exists() or (found and unquote(parts.fragment) not in found.places):
                broken.append(f"{file.relative_to(site)}: {link}")
    assert not broken, broken
    assert len(pages) > 40


def test_the_site_fetches_nothing_from_elsewhere(site: Path) -> None:
    for file in site.glob("*.html"):
        outside = [link for link in Page(file).fetched if urlsplit(link).netloc]
        assert not outside, (file.name, outside)


def test_every_page_is_in_the_menu(site: Path) -> None:
    start = (site / "index.html").read_text(encoding="utf-8")
    for page in (ROOT / "docs").glob("*.md"):
        assert f'href="{page.stem}.html"' in start or page.stem == "index", page.name


def test_every_verb_and_public_name_is_described(site: Path) -> None:
    import resnext
    from resnext.cli.main import VERBS

    commands = Page(site / "reference/command-line.html")
    assert {f"resnext-{verb}" for verb in VERBS} <= commands.places
    names = Page(site / "reference/python-names.html")
    assert {f"resnext.{name}" for name in resnext.__all__} <= names.places


def test_the_drawings_in_git_are_those_of_the_program(site: Path) -> None:
    assert site.exists()  # building it writes them
    words = ["git", "diff", "--name-only", "docs/images/paper"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("not a git checkout")
    assert done.stdout == ""
