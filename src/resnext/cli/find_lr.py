"""`resnext train --find-lr`: suggest a learning rate, with a plot."""

from __future__ import annotations

import io
import itertools
import json
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resnext.cli.output_file import check_place, writing
from resnext.errors import ConfigError
from resnext.files import write_whole
from resnext.progress import show_progress
from resnext.runs.config import TrainConfig

if TYPE_CHECKING:
    from resnext.training.find_lr import LrTest

_PLOT = "find-lr"
_ENDINGS = (".png", ".svg", ".pdf")
_OWN_FLAGS = ("--find-lr", "--json", "--quiet", "--lr")


def plot_file(given: tuple[Path, ...]) -> Path:
    """Return the path of the plot: the given file, or the next free `find-lr.png`.

    Raises:
        ConfigError: Several files were given, or the format is not supported.
        RunError: The file cannot be written.
    """
    if len(given) > 1:
        raise ConfigError("--find-lr takes a single file for the plot")
    if given and given[0].suffix.lower() not in _ENDINGS:
        raise ConfigError(f"--find-lr {given[0]}: give a file that ends in {', '.join(_ENDINGS)}")
    path = given[0] if given else _free_name()
    check_place("--find-lr", path)
    return path


def _free_name() -> Path:
    numbers = itertools.chain([""], (f"-{number}" for number in itertools.count(2)))
    return next(file for number in numbers if not (file := Path(f"{_PLOT}{number}.png")).exists())


def run_find_lr(
    config: TrainConfig, plot: Path, argv: Sequence[str], *, is_main: bool, **output: bool
) -> int:
    """Run the range test and print its suggestion; no run is started.

    Args:
        config: The settings of the planned training.
        plot: The file for the plot.
        argv: The arguments of `resnext train`, for the suggested command.
        is_main: Whether this is the first process, which prints and plots.
        output: `quiet` prints nothing, `json` prints the result as JSON.
    """
    from resnext.training.find_lr import NUM_STEPS, find_lr

    is_silent = output["quiet"] or not is_main
    if not is_silent:
        text = f"trying {NUM_STEPS} increasing learning rates, one per step; nothing is saved"
        print(text, file=sys.stderr, flush=True)
    started = time.monotonic()
    with show_progress(quiet=is_silent) as progress:
        test = find_lr(config, progress)
    if not is_main:
        return 0
    with writing(plot):
        write_whole(plot, _picture(test, plot.suffix.lower().removeprefix(".")))
    command = None if test.suggestion is None else _command(argv, test.suggestion)
    if output["json"]:
        print(json.dumps(_figures(test, command, plot)))
    elif not output["quiet"]:
        for line in _lines(test, config, command, time.monotonic() - started):
            print(line)
        print(f"wrote {plot}")
    return 0


def _lines(test: LrTest, config: TrainConfig, command: str | None, seconds: float) -> list[str]:
    ending = "where the loss diverged" if test.has_diverged else "without divergence"
    tried = (
        f"tried {len(test.lrs)} steps in {seconds:.0f} s, optim.lr from {test.lrs[0]:.2g} to "
        f"{test.lrs[-1]:.2g}, {ending}"
    )
    if test.suggestion is None:
        return [
            tried,
            "no suggestion: the loss did not clearly decrease at any rate. Check the images "
            f"(resnext data check), or keep the recipe's rate, {config.optim.lr:g}",
        ]
    return [
        tried,
        f"suggestion: --lr {test.suggestion:g} (instead of {config.optim.lr:g}): the smoothed "
        "loss is lowest at this rate",
        f"to train with it: {command}",
    ]


def _figures(test: LrTest, command: str | None, plot: Path) -> dict[str, Any]:
    return {
        "suggested_lr": test.suggestion,
        "command": command,
        "has_diverged": test.has_diverged,
        "lrs": test.lrs,
        "losses": test.losses,
        "smoothed": test.smoothed,
        "plot": str(plot),
    }


def _picture(test: LrTest, kind: str) -> bytes:
    from resnext.evaluation.lr_plot import draw_lr_test

    file = io.BytesIO()
    figure = draw_lr_test(test.lrs, test.losses, test.smoothed, test.suggestion)
    figure.savefig(file, format=kind, dpi=160)
    return file.getvalue()


def _command(argv: Sequence[str], lr: float) -> str:
    """Return the given command, with the suggested rate instead of the range test."""
    kept: list[str] = []
    is_dropped = False  # values follow their flag
    for word in argv:
        if word.startswith("--"):
            is_dropped = word.partition("=")[0].replace("_", "-") in _OWN_FLAGS
        if not is_dropped and not word.startswith("optim.lr="):
            kept.append(word)
    if kept[-1:] == ["--set"]:  # it held the rate only
        kept.pop()
    return shlex.join(["resnext", "train", *kept, "--lr", f"{lr:g}"])
