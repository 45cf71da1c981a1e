"""The run folders below a folder, and the only files of theirs that the page ever reads."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from resnext.errors import RunError
from resnext.training.run_folder import CONFIG, METRICS

EVALUATION = "evaluation.json"
REPORT = "report.html"

_READ = {CONFIG: 2**20, METRICS: 64 * 2**20, EVALUATION: 16 * 2**20, REPORT: 64 * 2**20}
_DEEPEST = 4  # a study's runs lie at trials/NAME/run
_MOST_FOLDERS = 20_000


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
        """Look for run folders anew; links are not followed.

        Returns:
            Their names: paths below the folder, in order.
        """
        budget = iter(range(_MOST_FOLDERS))
        found = _walk(self._root, _DEEPEST, budget) if self._root.is_dir() else iter(())
        self._runs = {run.relative_to(self._root).as_posix(): run for run in found}
        if "." in self._runs:  # the folder is a run itself
            self._runs = {self._root.resolve().name: self._root}
        return sorted(self._runs)

    def names(self) -> list[str]:
        """Return the names of the runs that the last search found."""
        return sorted(self._runs)

    def has(self, name: str, file: str) -> bool:
        """Say whether a run has a file."""
        return name in self._runs and (self._runs[name] / file).is_file()

    def read(self, name: str, file: str) -> str:
        """Read a file of a run.

        Args:
            name: As `search` returned it.
            file: One of the four that the page shows.

        Raises:
            RunError: There is no such run or file, or it is a link, too large or no text.
        """
        if name not in self._runs:
            raise RunError(
                f"there is no run {name[:200]!r}; press Refresh and choose one of the list"
            )
        try:
            return _read(self._runs[name] / file, _READ[file])
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            raise RunError(f"{name}: {file} cannot be read: {reason}") from None


def _walk(folder: Path, depth: int, budget: Iterator[int]) -> Iterator[Path]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
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


def _read(path: Path, most_bytes: int) -> str:
    """Read a regular file without following a link; it may be changing under our hands."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(handle, "rb") as file:  # noqa: PTH123 - a descriptor, not a path
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "it is not an ordinary file")
        if status.st_size > most_bytes:
            raise OSError(0, f"{status.st_size:,} bytes are more than {most_bytes:,}")
        return file.read(most_bytes).decode("utf-8")
