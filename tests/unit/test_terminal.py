import io
import subprocess
import sys

import pytest
import rich.console
from command import Command
from rich.progress import Progress, TextColumn
from rich.table import Table
from rich.text import Text

from resnext import terminal
from resnext.cli.main import main
from resnext.terminal import can_redraw, create_console
from resnext.untrusted.stream import printable_streams, raw_streams

_HOSTILE = "a\x1b]0;owned\x07\r\x9b2J\u202e[red]x[/red] [link=http://127.0.0.1]y[/link] :smile:"


def _check(printed: str) -> None:
    acting = [char for char in printed if ord(char) < 32 and char != "\n"]
    assert not acting
    assert not any(0x7F <= ord(char) < 0xA0 for char in printed)
    assert "\u202e" not in printed


def test_printed_text_cannot_control_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with printable_streams():
        print(_HOSTILE)
        print(_HOSTILE, file=sys.stderr)
        sys.stdout.writelines([_HOSTILE, "\n"])
    captured = capsys.readouterr()
    _check(captured.out)
    _check(captured.err)
    assert r"\x1b]0;owned\x07\r\x9b2J\u202e" in captured.out


def test_streams_are_given_back_also_after_an_error() -> None:
    before = sys.stdout, sys.stderr
    with pytest.raises(KeyError), printable_streams(), raw_streams():
        raise KeyError
    assert (sys.stdout, sys.stderr) == before


def test_tables_show_names_as_they_are_and_have_room_for_them() -> None:
    file = io.StringIO()
    table = Table(title=_HOSTILE)
    table.add_column(_HOSTILE)
    table.add_row(_HOSTILE)
    table.add_row(Text(_HOSTILE))
    console = create_console(file=file, width=200)
    console.print(table)
    console.print(_HOSTILE)
    printed = file.getvalue()
    _check(printed)
    assert printed.count("[red]x[/red]") == 5
    assert printed.count(":smile:") == 5
    widths = {len(line) for line in printed.splitlines() if line.startswith("│")}
    assert len(widths) <= 2  # rows of strings are measured as they are shown


def test_bars_show_names_as_they_are() -> None:
    file = io.StringIO()
    columns = (TextColumn("{task.description}", markup=False),)
    with Progress(*columns, console=create_console(file=file, width=200)) as progress:
        progress.add_task(_HOSTILE)
    _check(file.getvalue())


def test_a_console_on_a_terminal_keeps_its_own_colours() -> None:
    console = create_console(file=io.StringIO(), width=80)
    forced = type(console)(file=io.StringIO(), force_terminal=True, color_system="standard")
    forced.print(Text(_HOSTILE, "red"))
    printed = forced.file.getvalue()  # type: ignore[attr-defined] # the StringIO above
    assert "\x1b[31m" in printed
    assert "\x1b]0" not in printed


@pytest.mark.parametrize(
    "words",
    [["\x1b[2J"], ["evaluate", "\x1b[2J"], ["train", "--data", "\x1b[2J"], ["train", "--x=\x9b"]],
)
def test_messages_that_quote_arguments_are_harmless(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(words)
    except SystemExit as end:
        status = int(end.code or 0)
    captured = capsys.readouterr()
    assert status != 0
    _check(captured.out + captured.err)
    assert "\\x" in captured.err


def test_a_line_of_a_quoted_text_does_not_look_like_ours(command: Command) -> None:
    for verb in (["weights", "list"], ["evaluate"]):
        lines = command.refusal(*verb, "x\nresnext: all is well").splitlines()
        assert [line for line in lines if not line.startswith(("resnext: error: ", "  "))] == []


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("import logging; logging.getLogger('x').warning('bad %s', name)", r"bad \x1b[8m"),
        ("import warnings; warnings.warn(name)", r"UserWarning: \x1b[8m"),
        ("raise RuntimeError(name)", r"RuntimeError: \x1b[8m"),
    ],
)
def test_what_python_prints_is_escaped_too(code: str, shown: str) -> None:
    program = f"""
from resnext.cli import main
def verb(words):
    name = '\\x1b[8m'
    {code}
    return 0
main._run = verb
main.main(["x"])
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "\x1b" not in ran.stderr
    assert shown in ran.stderr


@pytest.mark.parametrize(
    ("is_terminal", "is_notebook", "has_widgets", "expected"),
    [
        (True, False, False, True),
        (False, True, True, True),
        (False, True, False, False),  # rich would warn, and draw nothing
        (False, False, True, False),
    ],
)
def test_bars_are_drawn_on_terminals_and_in_notebooks_with_widgets(
    monkeypatch: pytest.MonkeyPatch,
    is_terminal: bool,
    is_notebook: bool,
    has_widgets: bool,
    expected: bool,
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal, raising=False)
    monkeypatch.setattr(rich.console, "_is_jupyter", lambda: is_notebook)
    monkeypatch.setattr(terminal, "find_spec", lambda _: object() if has_widgets else None)
    assert can_redraw() is expected
