"""Prefetches shards in the background."""

from __future__ import annotations

import os
import queue
import threading
from contextlib import suppress

from resnext.data.shards.remote import Remote
from resnext.errors import ResNeXtError

_NUM_THREADS = 2  # in each worker; more would only share the same line


class Ahead:
    """Fetches shards of a split into the cache, in the order of the requests.

    Nothing waits for it and its failures are silent: reading the shard reports them. The threads
    end with their process, and partial files are resumed.
    """

    def __init__(self, remote: Remote, split: str) -> None:
        self._remote, self._split = remote, split
        self._queue: queue.SimpleQueue[int] | None = None

    def add(self, shards: tuple[int, ...]) -> None:
        """Request shards; the threads start with the first request."""
        if not shards:
            return
        if self._queue is None:
            self._queue = queue.SimpleQueue()
            for _ in range(_NUM_THREADS):
                threading.Thread(target=self._work, args=(self._queue,), daemon=True).start()
        for shard in shards:
            self._queue.put(shard)

    def _work(self, shards: queue.SimpleQueue[int]) -> None:
        while True:
            with suppress(ResNeXtError):
                os.close(self._remote.open(self._split, shards.get()))
