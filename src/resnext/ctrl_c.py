"""Ctrl-C handling: an immediate one-line reply; a second Ctrl-C ends the program.

Python runs signal handlers only between two instructions of the main thread, and one of them may be
a convolution of half a minute. The interpreter therefore also writes the signal to a pipe
(`signal.set_wakeup_fd`), which a dedicated thread reads: it prints the line, and ends the process
on a second Ctrl-C.

The first Ctrl-C raises KeyboardInterrupt, so that open contexts clean up, unless the work in
progress has its own handler (`Promise`). The exit status is 130.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from _thread import RLock

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing `typing` would leave Ctrl-C to Python for some milliseconds more
    from types import FrameType, TracebackType

STATUS = 128 + signal.SIGINT
"""Exit status after Ctrl-C."""

SAME_REQUEST_S = 0.5
"""Some senders signal a process and then its group: within this many seconds it is one request."""

_STOPPING = "stopping; press again to stop now"
_SHOW_CURSOR = "\x1b[?25h"  # a progress bar hides it
_CLOSE, _RAISE_AGAIN = 0, 255  # what else is written into the pipe; no signal has these numbers
_RAISE_AGAIN_S = 0.02


class _Presses:
    """Detects the second Ctrl-C for the thread and the handler, which both receive them."""

    def __init__(self) -> None:
        self._first_s: float | None = None

    def is_second(self) -> bool:
        """Record the signal, and return whether it is the second one."""
        now_s = time.monotonic()
        if self._first_s is None:
            self._first_s = now_s
        return now_s - self._first_s > SAME_REQUEST_S


class _Watch:
    """The handler and the thread.

    Attributes:
        status: Exit status for leaving at once, before and after the work; None in between, when
            there may be something to clean up.
        line: Reply to the first Ctrl-C; empty after the work.
        is_patient: Whether the work in progress handles a second one.
        is_pressed: Whether Ctrl-C was received and answered.
        has_raised: Whether it became a KeyboardInterrupt; later failures are not errors.
    """

    def __init__(self) -> None:
        self.status: int | None = STATUS
        self.line = _STOPPING
        self.is_patient = self.is_pressed = self.has_raised = False
        self._pid = os.getpid()
        self._seen = _Presses()
        self._lock = RLock()  # the handler may interrupt itself
        self._before = signal.signal(signal.SIGINT, self._handle)  # first; the rest takes longer
        self._reader, self._writer = os.pipe()
        if sys.platform != "win32":
            import threading

            os.set_blocking(self._writer, False)
            self.take()
            threading.Thread(target=self._read, name="ctrl-c", daemon=True).start()

    def take(self) -> None:
        """Install the handler, also after an event loop replaced it."""
        signal.signal(signal.SIGINT, self._handle)
        if sys.platform != "win32":
            signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)

    def close(self) -> None:
        """Restore the previous handler."""
        signal.signal(signal.SIGINT, self._before)
        signal.set_wakeup_fd(-1)
        os.write(self._writer, bytes([_CLOSE]))
        os.close(self._writer)

    def raise_again(self) -> None:
        """Raise a KeyboardInterrupt again that was lost where Python cannot raise."""
        self._seen, self.has_raised = _Presses(), False
        os.write(self._writer, bytes([_RAISE_AGAIN]))

    def _read(self) -> None:
        """Reply and act, in the thread."""
        seen = _Presses()
        while (numbers := os.read(self._reader, 256)) and _CLOSE not in numbers:
            if _RAISE_AGAIN in numbers:
                time.sleep(_RAISE_AGAIN_S)
                os.kill(self._pid, signal.SIGINT)  # wakes the main thread, unlike raise_signal
            elif signal.SIGINT in numbers:
                self._answer()
                if seen.is_second() and not self.is_patient:
                    self._leave()
        os.close(self._reader)

    def _handle(self, _number: int, frame: FrameType | None) -> None:
        """Act, in the main thread.

        An extension that is being imported may turn the exception into an abort, and some modules
        swallow it. Anything open at that point is only what a killed process would leave.
        """
        if os.getpid() != self._pid:  # a forked worker leaves it to its parent
            return
        self._answer()
        if self._seen.is_second() or _is_importing(frame):
            self._leave()
        if not self.has_raised:
            self.has_raised = True
            raise KeyboardInterrupt

    def _answer(self) -> None:
        with self._lock:  # whoever comes second may leave only when the line is there
            if not self.is_pressed:
                self.is_pressed = True
                if self.line and os.environ.get("RANK", "0") == "0":  # the first of torchrun's
                    _write(f"\n{self.line}\n" if os.isatty(2) else f"{self.line}\n")
        if self.status is not None:
            self._leave()

    def _leave(self) -> None:
        if os.isatty(2):
            _write(_SHOW_CURSOR)
        os._exit(STATUS if self.status is None else self.status)


_watch: _Watch | None = None


class Promise:
    """A context in which the work in progress handles SIGINT itself, with its own reply."""

    def __init__(self, line: str = _STOPPING, *, is_patient: bool = False) -> None:
        """Describe the context.

        Args:
            line: Reply to the first Ctrl-C.
            is_patient: A second one does not end the process; the handler decides.
        """
        self._line, self._is_patient = line, is_patient

    def __enter__(self) -> None:
        self._swap()

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._swap()

    def _swap(self) -> None:
        if _watch is not None:
            _watch.line, self._line = self._line, _watch.line
            _watch.is_patient, self._is_patient = self._is_patient, _watch.is_patient


def watch() -> bool:
    """Handle Ctrl-C from here on; until `begin` it only ends the process.

    Returns:
        Whether this call changed anything: False if it was called before, if Ctrl-C is ignored, as
        in a background job, or if it has another handler.
    """
    global _watch
    if _watch is not None or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return False
    try:
        _watch = _Watch()
    except ValueError:  # Python allows it in the main thread only
        return False
    return True


def begin() -> None:
    """Raise KeyboardInterrupt from here on: there may be something to clean up."""
    if _watch is not None:
        _watch.status = None


def end(status: int) -> None:
    """Exit immediately on Ctrl-C from here on, with the status of the finished work."""
    if _watch is not None:
        _watch.line, _watch.status = "", status
        _watch.take()


def unwatch() -> None:
    """Restore the handler of Ctrl-C from before `watch`."""
    global _watch
    if _watch is not None:
        _watch.close()
        _watch = None


def is_pressed() -> bool:
    """Return whether Ctrl-C was pressed."""
    return _watch is not None and _watch.is_pressed


def has_raised() -> bool:
    """Return whether Ctrl-C became a KeyboardInterrupt; later errors are its consequences."""
    return _watch is not None and _watch.has_raised


def hook_unraisable(unraisable: sys.UnraisableHookArgs) -> None:
    """Re-raise a KeyboardInterrupt that hit a destructor; a `sys.unraisablehook`."""
    if _watch is not None and unraisable.exc_type is KeyboardInterrupt:
        _watch.raise_again()
    else:
        sys.__unraisablehook__(unraisable)


def ignore_at_exit() -> None:
    """Ignore Ctrl-C at the very end, when Python has no handlers left."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib._bootstrap"):
            return True
        frame = frame.f_back
    return False


def _write(text: str) -> None:
    """Print directly: the streams may be locked by the interrupted code."""
    try:
        os.write(2, text.encode("ascii"))
    except OSError:  # nobody reads it
        return


def _forget_in_child() -> None:
    if _watch is not None:
        signal.set_wakeup_fd(-1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
