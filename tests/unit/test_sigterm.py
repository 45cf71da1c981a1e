"""SIGTERM ends a program with its status, whatever a library makes of the exception."""

import signal

import pytest

from resnext.sigterm import tidy_on_sigterm


def serialise() -> None:
    """Receive the signal where a library turns every exception into one of its own."""
    try:
        signal.raise_signal(signal.SIGTERM)
    except SystemExit:
        raise ValueError("cannot be serialised") from None


def test_a_signal_whose_exception_a_library_replaced_still_ends_the_program() -> None:
    with pytest.raises(SystemExit) as ended, tidy_on_sigterm():
        serialise()
    assert ended.value.code == 128 + signal.SIGTERM


def test_other_errors_pass() -> None:
    with pytest.raises(ValueError, match="of the work"), tidy_on_sigterm():
        raise ValueError("of the work")
