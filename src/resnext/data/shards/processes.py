"""Distributes shards over worker processes that exit with their parent."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from itertools import islice
from multiprocessing import get_context
from typing import TypeVar

from resnext.errors import DataError
from resnext.parent import end_with_parent

TaskT = TypeVar("TaskT")
ResultT = TypeVar("ResultT")


def spread(
    work: Callable[[TaskT], ResultT], tasks: Iterable[TaskT], num_workers: int
) -> Iterator[ResultT]:
    """Run tasks in processes, or in this process with one worker.

    Args:
        work: A module-level function, or a partial of one.
        tasks: Tasks, read only as workers become free.
        num_workers: Processes.

    Yields:
        The results as they become available.

    Raises:
        DataError: A process died.
    """
    if num_workers <= 1:
        yield from map(work, tasks)
        return
    # As the loaders' workers: on Linux forked, since the tasks then need not import torch.
    context = get_context("fork" if sys.platform == "linux" else None)
    queue = iter(tasks)
    with ProcessPoolExecutor(num_workers, context, _start) as pool:
        running: set[Future[ResultT]] = set()
        try:
            while True:
                with warnings.catch_warnings():
                    warnings.filterwarnings("ignore", message=".*multi-threaded, use of fork")
                    for task in islice(queue, 2 * num_workers - len(running)):
                        running.add(pool.submit(work, task))
                if not running:
                    return
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        except BrokenProcessPool as error:
            raise DataError(
                "a process that reads and writes shards died, usually for lack of memory; run "
                "again with fewer --workers: finished shards are kept"
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _start() -> None:
    """Let a worker exit silently on Ctrl-C or when its parent dies.

    An orphan would wait for tasks forever and keep the folder's lock.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    end_with_parent(partial(os._exit, 1))
