"""The run folders below a folder, and the only files of theirs that the page ever reads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from resnext.errors import RunError
from resnext.runs.folder import CONFIG, METRICS
from resnext.untrusted.names import shown
from resnext.untrusted.parse import read_text
from resnext.untrusted.text import printable

EVALUATION = "evaluation.json"
REPORT = "report.html"

_READ = {CONFIG: 2**20, METRICS: 64 * 2**20, EVALUATION: 2**20, REPORT: 16 * 2**20}
_DEEPEST = 4  # a study's runs lie at trials/NAME/run
_MAX_FOLDERS = 20_000
_MAX_ENTRIES = 20_000  # of one folder


class RunList:
    """Knows run folders by their names; no path that somebody sends is ever opened."""

    def __init__(self, root: Path) -> None:
        """Take the folder that is searched.

        Args:
            root: It need not exist yet.
        """
        self._root = root
        self._runs: dict[str, Path] = {}
        self.search()

    def search(self) -> list[str]:
        """Search for run folders again; links are not followed.

        Returns:
            Their names, in order: paths below the folder, which only print.
        """
        budget = iter(range(_MAX_FOLDERS))
        root = self._root.resolve()
        found = _walk(root, _DEEPEST, budget) if root.is_dir() else iter(())
        self._runs = {
            # the folder may be a run itself
            printable(root.name if run == root else run.relative_to(root).as_posix()): run
            for run in found
        }
        return sorted(self._runs)

    def names(self) -> list[str]:
        """Return the names of the runs that the last search found."""
        return sorted(self._runs)

    def has(self, name: str, file: str) -> bool:
        """Say whether a run has a file, or something in its place that `read` refuses."""
        return name in self._runs and os.path.lexists(self._runs[name] / file)

    def read(self, name: str, file: str) -> str:
        """Read a file of a run.

        Args:
            name: As `search` returned it.
            file: One of the four that the page shows.

        Raises:
            RunError: There is no such run or file, or it is a link, too large or no text.
        """
        folder = self._runs.get(name)
        if folder is None:
            raise RunError(
                f"there is no run {shown(name, 200)}; press Refresh and choose one of the list"
            )
        try:
            if folder.resolve() != folder:
                raise ValueError("lies behind a link")
            return read_text(folder / file, _READ[file], follow_link=False)
        except OSError as error:
            raise RunError(f"{name}: {file} cannot be read: {error.strerror}") from None
        except ValueError as error:
            raise RunError(f"{name}: {file} {error}") from None


def _walk(folder: Path, depth: int, budget: Iterator[int]) -> Iterator[Path]:
    try:
        with os.scandir(folder) as found:
            entries = sorted(islice(found, _MAX_ENTRIES), key=lambda entry: entry.name)
    except OSError:
        return
    if any(e.name in (CONFIG, METRICS) and e.is_file(follow_symlinks=False) for e in entries):
        yield folder
        return
    if depth == 0:
        return
    for entry in entries:
        if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
            if next(budget, None) is None:
                return
            yield from _walk(Path(entry.path), depth - 1, budget)
