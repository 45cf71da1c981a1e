"""TensorBoard events, written synchronously.

TensorBoard's own writer writes from a thread, in which a full disk is an unhandled error.
"""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

_VERSION = "brain.Event:2"


class TensorBoardFile:
    """A file of scalar events."""

    def __init__(self, folder: Path, first_step: int) -> None:
        """Open a new file.

        Args:
            folder: Created if missing. TensorBoard shows all of its files as one run.
            first_step: Events of this and later steps in older files are no longer shown.

        Raises:
            OSError: The file cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        moment = time.time_ns()
        name = (
            f"events.out.tfevents.{moment // 10**9}.{socket.gethostname()}.{os.getpid()}.{moment}"
        )
        self._file = (folder / name).open("wb")
        self._records = RecordWriter(self._file)
        self._write(Event(wall_time=time.time(), file_version=_VERSION))
        start = SessionLog(status=SessionLog.START)
        self._write(Event(wall_time=time.time(), step=first_step, session_log=start))

    def add(self, tag: str, value: float, step: int) -> None:
        """Write one scalar.

        Raises:
            OSError: It cannot be written.
        """
        summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
        self._write(Event(wall_time=time.time(), step=step, summary=summary))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, event: Event) -> None:
        self._records.write(event.SerializeToString())
        self._file.flush()
