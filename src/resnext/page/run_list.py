"""The run folders below a folder, and the only files in them that the page reads."""

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
_DEEPEST = 4  # a study keeps its runs in trials/NAME/run
_MAX_FOLDERS = 20_000
_MAX_ENTRIES = 20_000  # per folder


class RunList:
    """Finds run folders by name; a path sent by a caller is never opened."""

    def __init__(self, root: Path) -> None:
        """Set the folder to search.

        Args:
            root: The folder; it need not exist yet.
        """
        self._root = root
        self._runs: dict[str, Path] = {}
        self.search()

    def search(self) -> list[str]:
        """Search for run folders again; links are not followed.

        Returns:
            Their names in order: printable paths relative to the folder.
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
        """Return the names of the runs found by the last search."""
        return sorted(self._runs)

    def has(self, name: str, file: str) -> bool:
        """Return whether a run has a file, even one that `read` would refuse."""
        return name in self._runs and os.path.lexists(self._runs[name] / file)

    def read(self, name: str, file: str) -> str:
        """Read a file of a run.

        Args:
            name: As `search` returned it.
            file: One of the four files that the page shows.

        Raises:
            RunError: There is no such run or file, or it is a link, too large or not text.
        """
        folder = self._runs.get(name)
        if folder is None:
            raise RunError(
                f"there is no run {shown(name, 200)}; press Refresh and choose one from the list"
            )
        try:
            if folder.resolve() != folder:
                raise ValueError("is behind a symbolic link")
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
