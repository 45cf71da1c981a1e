"""The command `resnext`: dispatches verbs to their modules, and prints errors as one message."""

from __future__ import annotations

import ast
import atexit
import difflib
import importlib
import io
import os
import sys
from pathlib import Path

from resnext import ctrl_c
from resnext._version import __version__
from resnext.errors import ConfigError, ResNeXtError
from resnext.machine import waiting_environment
from resnext.plugins import load_plugin
from resnext.untrusted.names import shown
from resnext.untrusted.stream import print_exception, printable_streams

VERBS = (
    "describe",
    "design",
    "train",
    "evaluate",
    "predict",
    "export",
    "serve",
    "benchmark",
    "convert",
    "data",
    "features",
    "pack",
    "probe",
    "publish",
    "settings",
    "study",
    "weights",
)

_PLUGIN = "--plugin"

_MAX_LINE = 2000
"""Maximum characters of an error line, which may quote input."""

_EXAMPLES = """\
your own photos, one folder per class:
  resnext data check photos/
  resnext train --data photos/ --name photos
  resnext evaluate runs/photos
  resnext predict runs/photos photo.jpg folder/
  resnext export runs/photos --out photos.onnx
  resnext serve runs/photos

without photos, on the installed digits:
  resnext train --data digits --epochs 12 --name demo

more examples:
  resnext describe resnext50_32x4d --compare resnet50
  resnext design --like resnet50 --cardinality 8
  resnext data imagenet --check imagenet/
  resnext pack photos/ shards/
  resnext probe runs/demo photos/
  resnext features runs/demo photos/ --out photos.parquet
  resnext weights list resnext50
  resnext convert downloads/resnext50_32x4d-7cdf4587.pth resnext50.safetensors
  resnext benchmark resnext50_32x4d resnet50 --batch 1 8
  resnext publish runs/demo --to demo-for-the-hub
  resnext settings optim
  resnext study run table3 --scale small --data fashion-mnist
  resnext describe resnext50_32x4d_se --plugin se.py

`resnext VERB --help` lists a verb's options. Every verb also takes --plugin MODULE or FILE.py,
which registers custom blocks, stems and shortcuts; so does the variable RESNEXT_PLUGINS.

exit status: 0 success, 1 some inputs were bad, 2 a wrong argument or input, 3 a trained network
that is no better than guessing, 130 after Ctrl-C, 143 after SIGTERM. The first Ctrl-C finishes or
cleans up the work in progress, the second one stops."""


def main(argv: list[str] | None = None) -> int:
    """Run one verb.

    Args:
        argv: The arguments after `resnext`; by default those of this process, which then exits.

    Returns:
        The exit status: 0 success, 1 some inputs were bad, 2 a mistake of the user,
        128 + N when signal N ended the program (130 for Ctrl-C).
    """
    is_program = argv is None
    if is_program:
        _use_utf8()
    is_watching = ctrl_c.watch()
    os.environ.update(waiting_environment())  # no verb has loaded torch yet
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal may lack a letter of a label
    sys.excepthook = print_exception
    if is_program:
        atexit.register(ctrl_c.ignore_at_exit)  # the first one is called last
        sys.unraisablehook = ctrl_c.hook_unraisable
    try:
        with printable_streams():
            return _interruptible(sys.argv[1:] if argv is None else argv)
    finally:
        if is_watching and not is_program:
            ctrl_c.unwatch()


def _use_utf8() -> None:
    """Restart Python in UTF-8 mode if the locale is not UTF-8, such as `C`."""
    is_told = os.environ.get("PYTHONUTF8") == "1"  # it did not help
    if sys.getfilesystemencoding() != "utf-8" and sys.platform != "win32" and not is_told:
        os.environ["PYTHONUTF8"] = "1"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _interruptible(arguments: list[str]) -> int:
    """Run a verb, and do not report consequences of Ctrl-C as errors."""
    try:
        ctrl_c.begin()
        status = _guarded(arguments)
        ctrl_c.end(status)
        return status
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) or ctrl_c.has_raised():
            ctrl_c.end(ctrl_c.STATUS)
            return ctrl_c.STATUS
        ctrl_c.end(error.code if isinstance(error, SystemExit) and error.code == 0 else 1)
        raise


def _guarded(arguments: list[str]) -> int:
    """Run a verb, and turn exceptions into a message and a status."""
    try:
        status = _run(arguments)
        sys.stdout.flush()  # so that a reader who left is noticed here
        return status
    except ResNeXtError as error:
        if ctrl_c.has_raised():
            raise
        # A line of a quoted text must not look like one of ours, so further lines are indented.
        lines = f"resnext: error: {error}".split("\n")
        print("\n  ".join(map(_cut, lines)), file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of our output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        if ctrl_c.has_raised():
            raise
        prefix = f"{shown(os.fsdecode(error.filename))}: " if error.filename else ""
        print(
            f"resnext: error: {prefix}{error.strerror or error}; check the path, its permissions "
            "and the free disk space",
            file=sys.stderr,
        )
        return 2


def _cut(line: str) -> str:
    return line if len(line) <= _MAX_LINE else f"{line[:_MAX_LINE]}..."


def _run(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(_help())
        return 0
    if words[0] in ("-V", "--version"):
        print(f"resnext {__version__}")
        return 0
    named, words = _take_plugins(words)
    verb, arguments = words[0], words[1:]
    if verb not in VERBS:
        near = difflib.get_close_matches(verb, VERBS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"verbs are {', '.join(VERBS)}"
        print(f"resnext: error: no verb {verb!r}; {hint}", file=sys.stderr)
        return 2
    for plugin in named:
        load_plugin(plugin)
    status = importlib.import_module(f"resnext.cli.{verb}").main(arguments)
    assert isinstance(status, int)
    return status


def _take_plugins(words: list[str]) -> tuple[list[str], list[str]]:
    """Remove the plugin arguments, which every verb accepts at any position.

    Raises:
        ConfigError: `--plugin` comes without a value.
    """
    named, rest, left = [], [], iter(words)
    for word in left:
        if word.startswith(f"{_PLUGIN}="):
            named.append(word.partition("=")[2])
        elif word == _PLUGIN:
            named.append(next(left, ""))
        else:
            rest.append(word)
    if "" in named or not rest:
        raise ConfigError(f"{_PLUGIN}: give MODULE or FILE.py, and a verb")
    return named, rest


def _help() -> str:
    rows = "\n".join(f"  {verb:<10} {_summary(verb)}" for verb in VERBS)
    title = "ResNeXt: residual networks that aggregate transformations."
    return f"usage: resnext VERB ...\n\n{title}\n\nverbs:\n{rows}\n\n{_EXAMPLES}"


def _summary(verb: str) -> str:
    """Read the first line of a verb's docstring without importing the verb."""
    source = (Path(__file__).parent / f"{verb}.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]
