"""`resnext` as it is called from a shell, in this process."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from resnext.cli.main import main


class Answer(NamedTuple):
    """What a command did.

    Attributes:
        status: Its exit status.
        out: Its standard output.
        err: Its standard error.
    """

    status: int
    out: str
    err: str


class Command:
    """The command, with what it prints taken away from the terminal."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str | Path) -> Answer:
        """Run it."""
        self._capsys.readouterr()
        status = main([str(word) for word in words])
        return Answer(status, *self._capsys.readouterr())

    def prints(self, *words: str | Path) -> str:
        """Check that it succeeds, and return its standard output."""
        status, out, err = self(*words)
        assert status == 0, err
        return out

    def json(self, *words: str | Path) -> Any:
        """Check that it succeeds with --json, and return the document."""
        return json.loads(self.prints(*words, "--json"))

    def refusal(self, *words: str | Path) -> str:
        """Check that it ends with status 2 and one message on standard error, and return this."""
        status, out, err = self(*words)
        assert (status, out) == (2, "")
        message = re.sub(r"\Aresnext \S+: loading PyTorch, then [^\n]*\n", "", err)
        assert message.startswith("resnext: error: ")
        return message

    def help(self, *words: str) -> str:
        """Return what `--help` prints."""
        with pytest.raises(SystemExit) as stop:
            self(*words, "--help")
        assert stop.value.code == 0
        return self._capsys.readouterr().out
