"""Writes checkpoints in the background: training waits for the copy, not for the disk."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import torch

from resnext.training.checkpoint_file import CheckpointFiles, Stored
from resnext.training.snapshot import Snapshot


class CheckpointWriter:
    """Writes at most one checkpoint at a time.

    Each write has its own thread, which ends with it, so that processes forked between writes have
    no extra thread.
    """

    def __init__(self, files: CheckpointFiles) -> None:
        self._files = files
        self._snapshot = Snapshot()
        self._thread: threading.Thread | None = None
        self._error: Exception | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self.wait()
        elif self._thread is not None:  # another error is on its way: leave a whole file behind
            self._thread.join()

    @property
    def is_busy(self) -> bool:
        """Whether a checkpoint is being written."""
        return self._thread is not None and self._thread.is_alive()

    def save(self, position: str, tensors: Mapping[str, torch.Tensor], settings: str = "") -> None:
        """Copy a state and start writing it; wait first for a previous write.

        Args:
            position: The position in training, as JSON.
            tensors: The tensors by name; they may change once this returns.
            settings: The resolved settings of the run, as JSON.

        Raises:
            CheckpointError: The previous write failed.
        """
        self.wait()
        stored = Stored(position, self._snapshot.take(tensors), settings)
        self._thread = threading.Thread(target=self._write, args=(stored,), name="checkpoint")
        self._thread.start()

    def wait(self) -> None:
        """Wait until the saved state is on disk.

        Raises:
            CheckpointError: It could not be written.
        """
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def _write(self, stored: Stored) -> None:
        try:
            self._files.write(stored)
        except Exception as error:  # told by the thread that asked for it
            self._error = error
