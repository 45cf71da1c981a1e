"""Worker processes that render batches ahead of their use."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Iterable, Iterator

import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from resnext.data.loading.render import Rendered, Request
from resnext.errors import DataError
from resnext.parent import end_by_parent_only

_BATCHES_AHEAD = 2


class WorkerPool:
    """Handles requests in order, in this process or in several workers.

    A request contains everything its response depends on, so any worker can handle it. Workers stay
    for the next requests if `keep` is set.
    """

    def __init__(
        self, renderer: Dataset[Rendered], num_workers: int, *, pin: bool, keep: bool
    ) -> None:
        self._renderer = renderer
        self._queue = _Queue()
        self._loader: DataLoader[Rendered] | None = None
        if num_workers:
            with _quiet():
                self._loader = DataLoader(
                    renderer,
                    batch_size=None,
                    sampler=self._queue,
                    num_workers=num_workers,
                    prefetch_factor=_BATCHES_AHEAD,
                    persistent_workers=keep,
                    pin_memory=pin,
                    worker_init_fn=_start_worker,
                    multiprocessing_context=_start_method(),
                    # Its own generator: the loader draws a number for each run, which must
                    # not move the process's generator.
                    generator=torch.Generator(),
                )

    def run(self, requests: Iterable[Request]) -> Iterator[Rendered]:
        """Render requests, reading only a few ahead from the iterable.

        Raises:
            DataError: A worker died.
        """
        if self._loader is None:
            for request in requests:
                yield self._renderer[request]
            return
        self._queue.requests = requests
        with _quiet():
            answers = iter(self._loader)
        while True:
            try:
                answer = next(answers)
            except StopIteration:
                return
            except RuntimeError as error:
                if "DataLoader worker" not in str(error):
                    raise
                raise DataError(
                    f"a process that decodes images died ({error}). The most common cause is "
                    "lack of memory: use fewer workers (data.workers), or none (data.workers=0) "
                    "to see the error itself"
                ) from error
            yield answer


class _Queue(Sampler[Request]):
    """Feeds the next requests to the loader."""

    requests: Iterable[Request] = ()

    def __iter__(self) -> Iterator[Request]:
        return iter(self.requests)


def _start_method() -> str | None:
    """Choose how workers start: on Linux by forking, elsewhere as the platform prefers.

    A fork shares the images and file names and starts immediately. The child never uses the
    accelerator and runs one thread. It exits when its parent dies.
    """
    return "fork" if sys.platform == "linux" else None


def _start_worker(_: int) -> None:
    """Ignore signals, as the parent may need the workers to finish its step and save."""
    end_by_parent_only()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence two warnings about intentional choices."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="This DataLoader will create")
        warnings.filterwarnings("ignore", message=".*multi-threaded, use of fork")
        yield
