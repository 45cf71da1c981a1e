"""Ctrl-C in real processes: one line at once, one status, and a second one ends it."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from resnext import ctrl_c

_ANSWER = b"stopping; press again to stop now\n"
_BEGIN = (
    "import os, signal, sys, time; from resnext import ctrl_c; ctrl_c.watch(); ctrl_c.begin()\n"
)
_READY = "os.write(1, b'ready\\n')\n"
# Two million rounds a second or so; the interpreter is free meanwhile, as in a convolution.
_LONG_CALL = (
    "import hashlib, threading\n"
    "threading.Timer(0.3, os.write, (1, b'ready\\n')).start()\n"
    "hashlib.pbkdf2_hmac('sha256', b'', b'', 400_000_000)\n"
)


@contextmanager
def _program(code: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run Python code up to its word that it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # in the background of a script Ctrl-C is ignored, and children inherit that
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"ready\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def _interrupt(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    process.send_signal(signal.SIGINT)
    return process.communicate(timeout=60)


@pytest.mark.slow
def test_a_long_call_in_c_is_answered_at_once_and_ended_by_the_second() -> None:
    with _program(_BEGIN + _LONG_CALL + "print('finished')") as process:
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert process.stderr.readline() == _ANSWER
        assert process.poll() is None  # the call cannot be interrupted; it was answered
        time.sleep(ctrl_c.SAME_REQUEST_S + 0.1)
        out, err = _interrupt(process)
    assert (process.returncode, out, err) == (130, b"", b"")


def test_a_promise_says_what_the_work_will_do() -> None:
    code = """
        signal.signal(signal.SIGINT, lambda *_: None)
        with ctrl_c.Promise("saving first"):
            os.write(1, b"ready\\n")
            time.sleep(0.3)
        os._exit(7)
    """
    with _program(_BEGIN + textwrap.dedent(code)) as process:
        assert _interrupt(process) == (b"", b"saving first\n")
    assert process.returncode == 7


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_files_are_not_moved_when_a_library_swallowed_the_request_to_end(
    number: signal.Signals,
) -> None:
    code = """
        from resnext.sigterm import tidy_on_sigterm
        from resnext.staging import uninterrupted
        with tidy_on_sigterm():
            try:
                os.write(1, b"ready\\n")
                time.sleep(60)
            except BaseException:
                pass
            try:
                with uninterrupted():
                    print("moved")
            except KeyboardInterrupt:
                os._exit(130)
    """
    with _program(_BEGIN + textwrap.dedent(code)) as process:
        process.send_signal(number)
        out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (128 + number, b"")


def test_contexts_are_tidied_up_also_when_the_group_is_signalled_too() -> None:
    code = """
        try:
            os.write(1, b"ready\\n")
            time.sleep(60)
        except KeyboardInterrupt:
            time.sleep(0.2)
            os.write(1, b"tidy\\n")
            os._exit(130)
    """
    with _program(_BEGIN + textwrap.dedent(code)) as process:
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
        assert _interrupt(process) == (b"tidy\n", _ANSWER)


def test_an_interrupt_that_hits_a_destructor_is_not_lost() -> None:
    code = """
        sys.unraisablehook = ctrl_c.hook_unraisable
        class Slow:
            def __del__(self):
                os.write(1, b"ready\\n")
                time.sleep(0.3)
        try:
            slow = Slow()
            del slow
            time.sleep(60)
        except KeyboardInterrupt:
            os.write(1, b"caught\\n")
        os._exit(0)
    """
    with _program(_BEGIN + textwrap.dedent(code)) as process:
        assert _interrupt(process) == (b"caught\n", _ANSWER)


@pytest.mark.slow
def test_a_forked_worker_leaves_it_to_its_parent() -> None:
    code = """
        child = os.fork()
        if child == 0:
            os.write(1, b"ready\\n")
            time.sleep(0.5)
            os._exit(0)
        os.waitpid(child, 0)
        os.write(2, b"parent\\n")
        os._exit(3)
    """
    with _program(_BEGIN + textwrap.dedent(code)) as process:
        children = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, check=True
        )
        subprocess.run(["kill", "-INT", children.stdout.decode().strip()], check=True)
        assert process.communicate(timeout=60) == (b"", b"parent\n")
    assert process.returncode == 3


def test_an_import_is_left_at_once() -> None:
    code = f"""
        import types, importlib.abc, importlib.machinery
        class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
            def find_spec(self, name, path, target=None):
                if name == "slow":
                    return importlib.machinery.ModuleSpec(name, self)
            def exec_module(self, module):
                {_READY}
                try:
                    time.sleep(60)
                except BaseException:  # some modules do
                    os._exit(9)
        sys.meta_path.insert(0, Finder())
        import slow
    """
    with _program(_BEGIN + textwrap.dedent(code)) as process:
        assert _interrupt(process) == (b"", _ANSWER)
    assert process.returncode == 130


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "code"), [(130, _LONG_CALL), (5, "ctrl_c.end(5)\n" + _LONG_CALL)]
)
def test_before_and_after_the_work_even_a_long_call_ends(status: int, code: str) -> None:
    begin = _BEGIN if status == 5 else _BEGIN.replace("; ctrl_c.begin()", "")
    with _program(begin + code) as process:
        _, err = _interrupt(process)
    assert process.returncode == status
    assert err == (_ANSWER if status == 130 else b"")  # the work is done: nothing is stopped


def test_the_end_of_python_is_silent() -> None:
    code = """
        import atexit
        atexit.register(ctrl_c.ignore_at_exit)
        class Slow:
            def __del__(self, write=os.write, sleep=time.sleep):
                write(1, b"ready\\n")
                sleep(0.3)
        sys.slow = Slow()
        ctrl_c.end(0)
    """
    with _program(_BEGIN + textwrap.dedent(code)) as process:
        assert _interrupt(process)[1] == b""
    assert process.returncode == 0


def test_an_ignored_ctrl_c_stays_ignored() -> None:
    code = """
        import os, signal, time
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        from resnext import ctrl_c
        assert not ctrl_c.watch()
        os.write(1, b"ready\\n")
        time.sleep(0.2)
    """
    with _program(code) as process:
        assert _interrupt(process) == (b"", b"")
    assert process.returncode == 0


def test_the_signal_is_given_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert ctrl_c.watch()
        assert not ctrl_c.watch()
        ctrl_c.unwatch()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert signal.set_wakeup_fd(-1) == -1
    finally:
        signal.signal(signal.SIGINT, before)
