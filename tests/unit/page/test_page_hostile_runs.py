"""Run folders filled with whatever may do harm: one short note, and the rest is shown."""

import json
import os
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_runs import finish_run, make_run

from resnext.page.classifier import Answer
from resnext.page.classify_view import show_answer
from resnext.page.run_figures import read_run
from resnext.page.run_list import EVALUATION, RunList
from resnext.page.run_view import show_report, show_runs
from resnext.runs.folder import CONFIG, METRICS

ALIASES = "a: &a [x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(12)
)
EPOCH = {"kind": "epoch", "epoch": 1, "loss": 1.0, "top1_error": 50.0}


def line(**changes: Any) -> str:
    return json.dumps(EPOCH | changes) + "\n"


HOSTILE = [
    (CONFIG, ALIASES),
    (CONFIG, "a: " + "[" * 5000 + "]" * 5000),
    (CONFIG, "{" * 5000),
    (CONFIG, "a: &a\n  b: *a\n"),
    (CONFIG, "1: 2\n"),
    (CONFIG, "? [a, b]\n: 1\n"),
    (CONFIG, "model: {1: 2}\n"),
    (CONFIG, f"a: {'9' * 5000}\n"),
    (CONFIG, "a: !!python/object/apply:os.system [x]\n"),
    (CONFIG, "a: !!timestamp 2020-02-31\n"),
    (CONFIG, "a: 1\na: 2\n"),
    (CONFIG, "just a text"),
    (CONFIG, "a: " + "x" * 2**20),
    (CONFIG, "\0"),
    (METRICS, "[" * 100_000 + "\n"),
    (METRICS, "{" * 60_000 + "\n"),
    (METRICS, '{"epoch": ' + "9" * 5000 + "}\n"),
    (METRICS, '{"a": "' + "x" * 2**17 + '"}\n'),
    (METRICS, "\n" * 1_000_001),
    (METRICS, "{}\n" * 1_000_001),
    (METRICS, line() * 10_001),
    (METRICS, "null\n"),
    (EVALUATION, "[" * 100_000),
    (EVALUATION, '{"top1_error": ' + "9" * 5000 + "}"),
    (EVALUATION, '{"top1_error": NaN}'),
    (EVALUATION, '{"top1_error": 1e999}'),
    (EVALUATION, '{"top1_error": true}'),
    (EVALUATION, '{"top1_error": [1]}'),
    (EVALUATION, "[1]"),
    (EVALUATION, " " * (2**20 + 1)),
    (EVALUATION, ""),
]


def shown(root: Path) -> str:
    runs = RunList(root)
    page = show_runs([read_run(runs, name) for name in runs.names()])
    page.encode()  # an unpaired surrogate would break the whole answer
    return page


def check_one_note(page: str, *about: str) -> None:
    (note,) = re.findall(r'role="alert">(.*?)</div>', page)
    assert len(unescape(note)) < 300
    assert all(text in note for text in about)
    assert "30.00 %" in page


@pytest.mark.slow
@pytest.mark.parametrize(("file", "text"), HOSTILE)
def test_a_hostile_file_gives_one_short_note(file: str, text: str, tmp_path: Path) -> None:
    make_run(tmp_path / "bad", [50.0])
    finish_run(make_run(tmp_path / "good", [30.0]), 30.0)
    (tmp_path / "bad" / file).write_text(text)
    check_one_note(shown(tmp_path), "bad", file)


@pytest.mark.slow
@pytest.mark.parametrize("file", [CONFIG, METRICS, EVALUATION])
@pytest.mark.parametrize("kind", ["pipe", "link", "broken link", "folder", "device", "binary"])
def test_what_is_no_file_gives_one_short_note(kind: str, file: str, tmp_path: Path) -> None:
    bad = make_run(tmp_path / "runs" / "bad", [50.0])
    make_run(tmp_path / "runs" / "good", [30.0])
    secret = tmp_path / "secret"
    secret.write_text("top1_error: planted")
    (bad / file).unlink(missing_ok=True)
    plants: dict[str, Callable[[Path], object]] = {
        "pipe": os.mkfifo,
        "link": lambda path: path.symlink_to(secret),
        "broken link": lambda path: path.symlink_to(tmp_path / "nowhere"),
        "folder": lambda path: path.mkdir(),
        "device": lambda path: path.symlink_to("/dev/zero"),
        "binary": lambda path: path.write_bytes(b"\xff\xfe\0"),
    }
    plants[kind](bad / file)
    page = shown(tmp_path / "runs")
    check_one_note(page, "bad", file)
    assert "planted" not in page


def test_a_run_that_became_a_link_since_it_was_found_is_not_read(tmp_path: Path) -> None:
    outside = make_run(tmp_path / "outside", [11.0])
    make_run(tmp_path / "runs" / "good", [30.0])
    moved = make_run(tmp_path / "runs" / "study" / "bad", [50.0])
    runs = RunList(tmp_path / "runs")
    moved.parent.rename(tmp_path / "moved")
    moved.parent.symlink_to(tmp_path / "links")
    (tmp_path / "links").mkdir()
    outside.rename(tmp_path / "links" / "bad")
    page = show_runs([read_run(runs, name) for name in runs.names()])
    assert page.count("is behind a symbolic link") == 2
    assert "11.00 %" not in page
    assert "30.00 %" in page


VALUES: list[Any] = [
    None,
    True,
    "x",
    [],
    {},
    float("nan"),
    float("inf"),
    1e300,
    -1e300,
    10**400,
    -5,
    0.5,
]


@pytest.mark.slow
@pytest.mark.parametrize("value", VALUES, ids=str)
def test_a_number_that_is_none_is_left_out(value: Any, tmp_path: Path) -> None:
    bad = make_run(tmp_path / "bad", [50.0])
    make_run(tmp_path / "good", [30.0])
    lines = [line(**{key: value}) for key in ("epoch", "loss", "train_loss", "top1_error", "kind")]
    (bad / METRICS).write_text("".join(lines))
    page = shown(tmp_path)
    assert "role" not in page.partition("<h3>Curves")[0]
    assert "30.00 %" in page
    assert page.count("<img") == 2


@pytest.mark.slow
def test_long_and_many_settings_are_cut(tmp_path: Path) -> None:
    for name, text in (("a", "x"), ("b", "y")):
        many = "".join(f"k{n}: {text}\n" for n in range(5000))
        make_run(tmp_path / name, [30.0])
        (tmp_path / name / CONFIG).write_text(f"{'k' * 900}: {text * 100_000}\n{many}")
    page = shown(tmp_path)
    assert "4,801 more settings differ" in page
    assert len(page) < 300_000


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        'a" onload="x',
        "a&amp;b",
        "a\nb",
        "\x1b[2J",
        "\u202eabc",
        "_a",
        "$",
    ],
)
def test_a_name_of_a_run_is_text_that_only_prints(name: str, tmp_path: Path) -> None:
    finish_run(make_run(tmp_path / "runs" / name, [30.0]), 30.0)
    runs = RunList(tmp_path / "runs")
    (found,) = runs.names()
    page = show_runs([read_run(runs, found), read_run(runs, f"no {name}")]) + show_report(found, "")
    assert "30.00 %" in page
    assert "<script" not in page
    assert 'onload="' not in page
    assert not set(page) & set("\n\x1b\u202e")


@pytest.mark.slow
def test_a_name_that_is_no_unicode_is_listed_and_read(tmp_path: Path) -> None:
    make_run(tmp_path / "good", [30.0])
    (tmp_path / "good").rename(tmp_path / os.fsdecode(b"g\xff"))
    assert RunList(tmp_path).names() == ["g\\udcff"]
    assert "30.00 %" in shown(tmp_path)


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.dictionaries(
        st.sampled_from(["model", "data", "family", "<i>"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: (
                st.lists(inner, max_size=4)
                | st.dictionaries(
                    st.sampled_from(["family", "cardinality", "blocks_per_stage", "form"])
                    | st.text(),
                    inner,
                    max_size=4,
                )
            ),
            max_leaves=10,
        ),
    )
)
def test_whatever_the_settings_are_the_run_is_shown(tmp_path: Path, values: Any) -> None:
    if not (tmp_path / "bad").exists():
        finish_run(make_run(tmp_path / "bad", []), 30.0)
    (tmp_path / "bad" / CONFIG).write_text(json.dumps(values))
    page = shown(tmp_path)
    assert "30.00 %" in page
    assert "<i>" not in page


@pytest.mark.parametrize("name", ["<b>x</b>", 'a"b', "\ud800", "\x1b[1m", "\u202ex"])
def test_a_class_name_is_text_that_only_prints(name: str) -> None:
    answer = Answer((name,), (0.5,), np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.float32))
    page = show_answer("Image 1", answer, 0)
    page.encode()
    assert "<b>" not in page
    assert 'a"b' not in page
    assert not set(page) & set("\x1b\u202e")
