"""Collects unusable files: each is logged once, and too many stop the run."""

from __future__ import annotations

import logging

import torch.distributed as dist

from resnext.errors import DataError
from resnext.untrusted.text import printable

_LOG = logging.getLogger(__name__)
_MAX_SHARE = 0.01
_NUM_LISTED = 20


class BadFiles:
    """Collects the bad files of a run.

    A few damaged files should not stop a long training, but many mean that the data set is broken.
    The limit is 1 % of the files, but one bad file is always tolerated, so that small sets work
    too. With several processes each counts its own until they are shared.
    """

    def __init__(self, num_files: int) -> None:
        """Start an empty list.

        Args:
            num_files: Total number of files.
        """
        self._num_files = num_files
        self._reasons: dict[str, str] = {}

    @property
    def rows(self) -> list[dict[str, str]]:
        """The bad files sorted by path, each with `path` and `reason`."""
        return [{"path": path, "reason": self._reasons[path]} for path in sorted(self._reasons)]

    def record(self, path: str, reason: str) -> None:
        """Record a bad file and log it, the first time it occurs.

        Raises:
            DataError: More than 1 % of the files, and more than one, are bad.
        """
        if path in self._reasons:
            return
        self._reasons[path] = reason
        _LOG.warning("bad file %s: %s", printable(path), printable(reason))
        self.check()

    def share(self) -> None:
        """Share the bad files between all processes; every process must call this."""
        parts: list[dict[str, str]] = [{} for _ in range(dist.get_world_size())]
        dist.all_gather_object(parts, self._reasons)
        for part in parts:
            self._reasons |= part

    def check(self) -> None:
        """Raise if too many files are bad.

        Raises:
            DataError: More than 1 % of the files, and more than one, are bad.
        """
        found = len(self._reasons)
        if found <= max(1, int(_MAX_SHARE * self._num_files)):
            return
        lines = [printable(f"  {row['path']}: {row['reason']}") for row in self.rows[:_NUM_LISTED]]
        if found > _NUM_LISTED:
            lines.append(f"  ... and {found - _NUM_LISTED} more")
        raise DataError(
            f"{found} of {self._num_files} files are bad, more than 1 %; repair or remove "
            "them and start again:\n" + "\n".join(lines)
        )
