"""Options that are given several times, and settings that are given in two ways."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnext.api.train_request import TrainRequest
from resnext.api.train_settings import build_config
from resnext.cli.arguments import parse
from resnext.cli.repeated import join_repeated, refuse_without_values, takes_many
from resnext.cli.study_arguments import StudyRun
from resnext.cli.train import Train
from resnext.errors import ConfigError

MANY = ("--set", "--seeds")


@pytest.mark.parametrize(
    ("argv", "joined"),
    [
        ("--set a=1 --lr 2 --set b=2 c=3 --json", "--set a=1 b=2 c=3 --lr 2 --json"),
        ("--set=a=1 --set=b=2", "--set a=1 b=2"),
        ("--seeds 1 -2 --seeds 3 --set x=-1", "--seeds 1 -2 3 --set x=-1"),
        ("run --set a=1 -- --set b=2", "run --set a=1 -- --set b=2"),
        ("--lr 1 --lr 2", "--lr 1 --lr 2"),
        ("name --json", "name --json"),
        ("", ""),
    ],
)
def test_values_are_put_behind_the_first_occurrence(argv: str, joined: str) -> None:
    assert join_repeated(argv.split(), MANY) == joined.split()


@given(st.lists(st.sampled_from(["--set a=1", "--seeds 2", "--lr", "a=1", "2", "-3", "--json"])))
def test_no_word_is_lost_but_repeated_options(given: list[str]) -> None:
    argv = " ".join(given).split()
    joined = join_repeated(argv, MANY)
    for flag in MANY:
        assert joined.count(flag) == min(argv.count(flag), 1)
    others = sorted(word for word in argv if word not in MANY)
    assert sorted(word for word in joined if word not in MANY) == others


HINTS = {"seeds": tuple[int, ...], "set": tuple[str, ...], "find_lr": tuple[str, ...] | None}


@pytest.mark.parametrize("argv", ["--seeds", "--seeds --json", "--set a=1 --seeds --set b=2"])
def test_a_list_without_values_is_refused_rather_than_ignored(argv: str) -> None:
    with pytest.raises(ConfigError, match="--seeds: give one or more values"):
        refuse_without_values(argv.split(), HINTS)
    refuse_without_values([*argv.split(), "--help"], HINTS)


@pytest.mark.parametrize(
    "argv", ["--find-lr", "--seeds -1 --find-lr --set a=1", "--set=a=1", "--json -- --seeds"]
)
def test_other_options_need_no_value(argv: str) -> None:
    refuse_without_values(argv.split(), HINTS)


@pytest.mark.parametrize(
    ("hint", "is_many"),
    [
        (tuple[str, ...], True),
        (tuple[int, ...] | None, True),
        (tuple[int, int], False),
        (str | None, False),
        (int, False),
    ],
)
def test_lists_are_known_by_their_type(hint: Any, is_many: bool) -> None:
    assert takes_many(hint) == is_many


def test_verbs_take_repeated_options() -> None:
    words = ["--data", "digits", "--set", "optim.lr=0.1", "--epochs", "2", "--set", "batch_size=8"]
    assert parse(Train, words, "doc").set == ("optim.lr=0.1", "batch_size=8")
    study = parse(StudyRun, ["x", "--seeds", "0", "--seeds", "1", "2"], "doc")
    assert study.seeds == (0, 1, 2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lr": 0.3, "set": ("optim.lr=0.2",)}, "--lr and --set optim.lr are one setting"),
        ({"balance": True, "set": ("class_weights=null",)}, "--balance and --set class_weights"),
        ({"set": ("seed=1", "seed=2")}, "--set seed is given twice"),
    ],
)
def test_one_setting_is_given_once(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build_config(TrainRequest(data="digits", **changes))


def test_tuning_leaves_what_is_set() -> None:
    request = TrainRequest(data="digits", tune=True, set=("runtime.compile=false",))
    assert build_config(request).runtime.compile is False
