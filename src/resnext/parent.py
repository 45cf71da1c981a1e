"""Ties a process's lifetime to its parent's."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing import parent_process


def end_with_parent(leave: Callable[[], object], pipe: int | None = None) -> None:
    """Wait in a thread for the parent to end, then exit.

    Args:
        leave: Ends this process.
        pipe: A pipe whose other end only the parent holds, such as stdin. None uses the one that
            `multiprocessing` gives its children.
    """
    parent = parent_process()

    def wait() -> None:
        if pipe is None:
            assert parent is not None, "not started by multiprocessing"
            parent.join()
        else:
            while os.read(pipe, 4096):
                pass
        leave()

    threading.Thread(target=wait, daemon=True).start()


def give_stdin_to_children() -> None:
    """Replace stdin with a pipe for children whose other end only this process holds."""
    reader, _ = os.pipe()  # the other end stays open, and is not inherited
    os.dup2(reader, 0)
    os.close(reader)


def end_by_parent_only() -> None:
    """Let only the parent end this process.

    Ctrl-C and a cluster's SIGTERM often reach all processes at once. The parent may need its
    children to finish its work, so only its own SIGTERM ends them.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        threading.Thread(target=_obey, args=(os.getppid(),), daemon=True).start()


def _obey(parent: int) -> None:
    if sys.platform == "linux":  # said again for the type checker
        while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
            pass
        os._exit(0)
