"""Standard output holds lines of JSON, whoever writes there."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import textwrap

import pytest

from resnext.serving.logs import MAX_REPEATS, WINDOW_S, JsonLines, LineWriter, Throttle

SETUP = """
import logging, os, subprocess, sys, warnings
from resnext.serving.logs import log_to_stdout
from resnext.serving.output import only_json
log_to_stdout()
"""


def output_of(code: str) -> tuple[list[str], str]:
    """Return the events that a program logs, and its standard error."""
    done = subprocess.run(
        [sys.executable, "-c", SETUP + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line)["event"] for line in done.stdout.splitlines()], done.stderr


def test_what_libraries_print_becomes_lines_of_the_log() -> None:
    events, errors = output_of(
        r"""
        with only_json() as people:
            os.write(2, b"TIFFReadDirectory: Warning\n")
            os.write(1, b"printf, without an end of line \xff\x1b[31m")
            os.write(2, b"\n\n")
            print("print")
            print("stderr", file=sys.stderr)
            subprocess.run([sys.executable, "-c", "print('of a child')"], check=True)
            print("for people", file=people)
        print("afterwards", file=sys.stderr)
        """
    )
    assert sorted(events) == sorted(
        f"a library printed: {text}"
        for text in (
            "TIFFReadDirectory: Warning",
            r"printf, without an end of line �\x1b[31m",
            "print",
            "stderr",
            "of a child",
        )
    )
    assert errors == "for people\nafterwards\n"


def test_a_line_without_an_end_is_not_gathered_for_ever() -> None:
    events, _ = output_of(
        """
        with only_json():
            for _ in range(100):
                os.write(1, b"a" * 100_000)
        """
    )
    assert len(events) == MAX_REPEATS  # cut into lines, of which most are left out
    assert all(len(event) < 600 for event in events)


def test_loggers_and_warnings_of_libraries_are_lines_and_those_on_callers_bytes_are_none() -> None:
    events, errors = output_of(
        """
        logging.getLogger("matplotlib").warning("no font")
        logging.getLogger("matplotlib").info("chatter")
        logging.getLogger("python_multipart.multipart").warning("what the caller sent")
        logging.getLogger("PIL.PngImagePlugin").error("what the caller sent")
        warnings.warn("odd value")
        """
    )
    assert events[0] == "no font"
    assert "odd value" in events[1]
    assert len(events) == 2
    assert errors == ""


def test_a_broken_pipe_of_the_log_ends_nothing() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    writer = LineWriter(writing)
    writer.setFormatter(JsonLines())
    for _ in range(3):
        writer.emit(logging.makeLogRecord({"msg": "lost"}))
    writer.flush()
    os.close(writing)


def test_a_reader_that_stalls_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    monkeypatch.setattr("resnext.serving.logs.MAX_QUEUED", 10)
    writer = LineWriter(writing)
    for _ in range(30):
        writer.emit(logging.makeLogRecord({"msg": "a" * 100_000}))  # more than a pipe holds
    os.close(reading)
    writer.flush()
    os.close(writing)


def record(line: int, level: int = logging.WARNING) -> logging.LogRecord:
    return logging.LogRecord("x", level, "file.py", line, "event", None, None)


def test_a_repeated_warning_is_left_out_and_counted() -> None:
    seconds = 0.0
    throttle = Throttle(lambda: seconds)
    assert sum(throttle.filter(record(1)) for _ in range(100)) == MAX_REPEATS
    assert throttle.filter(record(2))  # another place in the program
    assert all(throttle.filter(record(1, logging.INFO)) for _ in range(100))
    seconds += WINDOW_S
    again = record(1)
    assert throttle.filter(again)
    assert json.loads(JsonLines().format(again))["left_out"] == 100 - MAX_REPEATS
