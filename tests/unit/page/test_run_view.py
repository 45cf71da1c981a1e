import base64
import re
from html import unescape
from pathlib import Path

import pytest
from made_runs import finish_run, make_run

from resnext.page.run_figures import RunFigures, differing_settings, read_run
from resnext.page.run_list import RunList
from resnext.page.run_view import MAX_RUNS, show_report, show_runs


def read(folder: Path, *names: str) -> list[RunFigures]:
    runs = RunList(folder)
    return [read_run(runs, name) for name in names]


def pictures(page: str) -> list[str]:
    found = re.findall(r"data:image/svg\+xml;base64,([^\"]+)", page)
    return [base64.b64decode(text).decode() for text in found]


def test_figures_are_those_of_the_log_and_the_evaluation(tmp_path: Path) -> None:
    finish_run(make_run(tmp_path / "a", [60.0, 31.25, 40.0]), 30.5)
    (run,) = read(tmp_path, "a")
    assert run.problems == ()
    assert run.best is not None
    assert (run.best["epoch"], run.best["top1_error"]) == (2, 31.25)
    assert run.network == "resnext29_8x64d"
    page = show_runs([run])
    cells = re.findall(r"<td>(.*?)</td>", page)
    assert cells == ["resnext29_8x64d", "3", "top-1 error", "31.25 %", "2", "30.50 %", "0.8000"]


def test_each_run_has_a_curve_for_loss_and_error(tmp_path: Path) -> None:
    for name in ("first", "second", "third"):
        make_run(tmp_path / name, [60.0, 40.0])
    page = show_runs(read(tmp_path, "first", "second", "third"))
    loss, error = pictures(page)
    for picture in (loss, error):
        colours = set(re.findall(r"stroke: (#[0-9a-f]{6})", picture))
        assert {"#0072b2", "#d55e00", "#009e73"} <= colours
    assert 'alt="Loss by epoch of first, second, third"' in page


@pytest.mark.slow
def test_only_settings_that_differ_are_listed(tmp_path: Path) -> None:
    make_run(tmp_path / "a", [50.0])
    make_run(tmp_path / "b", [50.0], network="resnext29_16x64d")
    make_run(tmp_path / "c", [50.0])
    both = read(tmp_path, "a", "b")
    assert differing_settings(both) == [("model.cardinality", ["8", "16"])]
    assert "model.cardinality" in show_runs(both)
    assert "are the same" in show_runs(read(tmp_path, "a", "c"))


def test_a_run_that_has_just_begun_is_shown(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a", [])
    assert "No epoch has finished" in show_runs(read(tmp_path, "a"))
    (run / "metrics.jsonl").unlink()
    (figures,) = read(tmp_path, "a")
    assert figures.problems == ()
    assert figures.best is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("metrics.jsonl", "{broken\n", "metrics.jsonl is damaged"),
        ("metrics.jsonl", "[1]\n", "not a JSON object"),
        ("config.yaml", "a: [", "config.yaml is damaged"),
        ("config.yaml", "- 1", "it contains no settings"),
        ("evaluation.json", "{}", "evaluation.json is damaged"),
        ("evaluation.json", "nonsense", "evaluation.json is damaged"),
    ],
)
def test_what_is_damaged_is_told_and_the_rest_shown(
    file: str, text: str, told: str, tmp_path: Path
) -> None:
    finish_run(make_run(tmp_path / "a", [50.0]), 45.0)
    make_run(tmp_path / "b", [30.0])
    (tmp_path / "a" / file).write_text(text)
    page = show_runs(read(tmp_path, "a", "b"))
    assert page.count('role="alert"') == 1
    assert told in page
    assert "30.00 %" in page


def test_strange_values_in_the_log_do_no_harm(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a", [50.0])
    lines = [
        '{"kind": "epoch", "epoch": 1, "loss": null, "top1_error": "high"}',
        '{"kind": "epoch", "epoch": "two"}',
        '{"kind": "epoch", "epoch": 3, "loss": NaN, "top1_error": 12.5}',
    ]
    (run / "metrics.jsonl").write_text("".join(f"{line}\n" for line in lines))
    page = show_runs(read(tmp_path, "a"))
    assert "12.50 %" in page


def test_names_are_text_not_markup(tmp_path: Path) -> None:
    name = "<img src=x onerror=alert(1)> $x_{$"
    make_run(tmp_path / name, [50.0])
    page = show_runs(read(tmp_path, name))
    assert "<img src=x" not in page
    assert len(pictures(page)) == 2


def test_a_report_stands_in_a_frame_without_rights() -> None:
    report = '<!DOCTYPE html><h1 title="a">R</h1><script>parent.document.title = "x"</script>'
    page = show_report('a"><script>', report)
    frame = re.fullmatch(r'<iframe sandbox="" title="([^"]*)" srcdoc="([^"]*)"></iframe>', page)
    assert frame is not None
    content = unescape(frame[2])
    assert content.endswith(report)
    policy = re.match(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', content)
    assert policy is not None
    assert "default-src 'none'" in policy[1]
    assert "script-src" not in policy[1]


def test_as_many_runs_are_compared_as_there_are_colours(tmp_path: Path) -> None:
    names = [f"run{number}" for number in range(MAX_RUNS)]
    for name in names:
        make_run(tmp_path / name, [50.0, 40.0])
    error = pictures(show_runs(read(tmp_path, *names)))[1]
    assert all(f"stroke: {colour}" in error for colour in ("#0072b2", "#7f7f7f"))
