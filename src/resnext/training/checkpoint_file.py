"""The two checkpoint files of a run: verified on reading, and replaced atomically.

last.safetensors           the newest state
last.previous.safetensors  the previous state

A new state is written to `last.new.safetensors` and flushed to disk. Only then does the last become
the previous one, and the new one the last. The header contains a SHA-256 of everything else in the
file.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from resnext.errors import CheckpointError
from resnext.files import flush, read_whole
from resnext.runs.folder import LAST, PREVIOUS
from resnext.weights.tensor_file import damaged, read_tensors, write_tensors

_NEW = "last.new.safetensors"
_FORMAT = "resnext-checkpoint-2"
_FORMAT_WITHOUT_CHECKSUM = "resnext-checkpoint-1"


@dataclass(frozen=True)
class Stored:
    """Content of a checkpoint file.

    Attributes:
        position: The position in training, as JSON.
        tensors: The tensors by name, on the CPU.
        settings: The resolved settings of the run, as JSON; empty in older files.
    """

    position: str
    tensors: Mapping[str, torch.Tensor]
    settings: str = ""


class CheckpointFiles:
    """The checkpoint files of one run.

    Attributes:
        run: The run folder.
        complaint: Problem of the last checkpoint if `read` used the previous one; empty if none.
    """

    def __init__(self, run: Path, before_write: Callable[[], None] = lambda: None) -> None:
        """Set up the files of a run.

        Args:
            run: The run folder.
            before_write: Called before a new checkpoint replaces the last; may raise.
        """
        self.run, self.complaint = run, ""
        self._before_write = before_write
        self._last, self._previous, self._new = run / LAST, run / PREVIOUS, run / _NEW

    def exist(self) -> bool:
        """Return whether the run has been saved."""
        return self._last.exists() or self._previous.exists()

    def read(self) -> Stored:
        """Read the last checkpoint, or the previous one if the last is damaged or missing.

        Raises:
            CheckpointError: Neither is intact.
        """
        self.complaint = ""
        try:
            return read_checkpoint(self._last)
        except CheckpointError as error:
            if not self._previous.exists():
                raise
            complaint = str(error)
        try:
            stored = read_checkpoint(self._previous)
        except CheckpointError as error:
            raise CheckpointError(
                f"{complaint}; the previous one is damaged too: {error}. The run cannot be "
                "resumed; its best weights, if any, are in best.safetensors"
            ) from None
        self.complaint = complaint
        return stored

    def write(self, stored: Stored) -> None:
        """Write a new last checkpoint; the last becomes the previous one.

        Raises:
            CheckpointError: The file cannot be written; existing ones are kept.
        """
        metadata = {"format": _FORMAT, "position": stored.position, "settings": stored.settings}
        self._before_write()
        write_tensors(self._new, stored.tensors, metadata)
        self._before_write()
        if self._last.exists() and not self.complaint:  # a damaged one displaces no whole one
            self._keep_last()
        self._new.replace(self._last)
        self.complaint = ""
        flush(self._last.parent)

    def _keep_last(self) -> None:
        """Link the last checkpoint under the name of the previous one."""
        link = self._previous.with_name(PREVIOUS + ".partial")
        try:
            link.unlink(missing_ok=True)
            os.link(self._last, link)
            link.replace(self._previous)
            link.unlink(missing_ok=True)  # replacing a link by one to the same file does nothing
        except OSError:  # a file system without links: for a moment there is no last one
            self._last.replace(self._previous)


def read_checkpoint(path: Path) -> Stored:
    """Read and verify a checkpoint file, even while training replaces it with newer ones.

    Files of version 1 have no checksum, so only their structure is verified.

    Raises:
        CheckpointError: The file is missing, incomplete, damaged, or not a checkpoint.
    """
    return read_whole(path, _read)


def _read(path: Path) -> Stored:
    found = read_tensors(path)
    name = found.metadata.get("format")
    if name == _FORMAT and not found.has_checksum:
        raise damaged(path)  # the checksum's own name
    if name not in (_FORMAT, _FORMAT_WITHOUT_CHECKSUM):
        raise CheckpointError(f"{path}: is not a training checkpoint of this program")
    if "position" not in found.metadata:
        raise damaged(path)
    return Stored(found.metadata["position"], found.tensors, found.metadata.get("settings", ""))
