"""`resnext train --find-lr`: a plot, a suggestion and the command that follows it."""

import shlex
from pathlib import Path

import pytest
from command import Command
from PIL import Image

from resnext.api.train_settings import build_config
from resnext.cli.find_lr import _command
from resnext.cli.train import Train

SMALL = ["train", "--data", "digits", "--model", "resnext_1-1_2x4d_cifar", "--device", "cpu"]
SMALL += ["--threads", "1"]


@pytest.mark.slow
def test_it_draws_and_suggests_and_leaves_no_run(here: Path, command: Command) -> None:
    figures = command.json(*SMALL, "--find-lr")
    assert figures["lrs"][0] < figures["suggested_lr"] < figures["lrs"][-1]
    assert len(figures["lrs"]) == len(figures["losses"]) == len(figures["smoothed"]) <= 100
    assert figures["command"].endswith(f"--lr {figures['suggested_lr']:g}")
    assert [file.name for file in here.iterdir()] == ["find-lr.png"]
    with Image.open(here / "find-lr.png") as plot:
        assert plot.width > 400

    shown = command.prints(*SMALL, "--find-lr")  # the plot from before stays
    assert f"suggestion: --lr {figures['suggested_lr']:g} " in shown
    assert "the smoothed loss is lowest at this rate" in shown
    assert "wrote find-lr-2.png" in shown
    assert sorted(file.name for file in here.iterdir()) == ["find-lr-2.png", "find-lr.png"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("--data x --find-lr", "--data x"),
        ("--data x --find-lr a.svg --seed 1", "--data x --seed 1"),
        ("--find-lr=a.svg --lr 3 --json --data x", "--data x"),
        ("--find_lr --lr=3 --data 'my photos'", "--data 'my photos'"),
        ("--find-lr --set optim.lr=3 seed=2", "--set seed=2"),
        ("--seed 1 --find-lr --set optim.lr=3", "--seed 1"),
    ],
)
def test_the_command_that_follows_has_the_rate_in_place_of_the_test(given: str, kept: str) -> None:
    assert _command(shlex.split(given), 0.0021) == f"resnext train {kept} --lr 0.0021"


def test_the_suggested_flag_sets_what_was_tested() -> None:
    config = build_config(Train(data="cifar10", recipe="modern", batch_size=32, lr=0.0021))
    assert config.optim.lr == 0.0021


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--out", "run"], "--find-lr creates no run"),
        (["--name", "run"], "--find-lr creates no run"),
        (["--out", "run", "--continue"], "--find-lr creates no run"),
        (["--find-lr", "plot.jpeg"], "give a file that ends in .png, .svg, .pdf"),
        (["--find-lr", "a.png", "b.png"], "takes a single file"),
        (["--find-lr", "nowhere/plot.png"], "does not exist"),
        (["--resume", "run"], "--resume uses the run's own settings"),
    ],
)
def test_what_does_not_go_with_it_is_refused_before_the_work(
    flags: list[str], message: str, here: Path, command: Command
) -> None:
    argv = flags if "--find-lr" in flags else ["--find-lr", *flags]
    assert message in " ".join(command.refusal("train", *argv).split())
    assert list(here.iterdir()) == []
