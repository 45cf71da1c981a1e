"""Every p value, interval, mean and verdict under docs/results follows from the stored rows."""

from __future__ import annotations

import html
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from stored_studies import RESULTS, rows_of, stored_rows, stored_study

from resnext.studies.analysis.differences import compare, compare_training
from resnext.studies.analysis.summary import summarise_study, summary_lines
from resnext.studies.analysis.verdict import describe_method, verdict
from resnext.studies.study import claims_of
from resnext.untrusted.text import markdown_text

STUDIES = [
    "paths-fashion-mnist",
    "residual-fashion-mnist",
    "table3-fashion-mnist",
    "table4-cifar10",
]
Differences = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
CITED = {"paths-fashion-mnist.md": "table4-cifar10"}
"""Studies that a page of another one quotes."""

_P = re.compile(r"\bp (?:=|<|&lt;) (\d\.\d+)")
_INTERVAL = re.compile(r"([-+]?\d+\.\d\d) to ([-+]?\d+\.\d\d)")


def holm(ps: list[float]) -> list[float]:
    """Return the largest (m - rank) p over all ranks up to each one's own, counted from 0."""
    ranked = sorted(ps)
    return [max((len(ps) - j) * q for j, q in enumerate(ranked) if q <= p) for p in ps]


@cache
def families_of(name: str) -> list[list[Differences]]:
    """Work out the paired differences of each family of comparisons from the rows alone."""
    if name == "transfer":
        return [_transfer_differences()]
    claims = claims_of(stored_study(name))
    families = []
    for column in ("top1_error", "train_top1_error"):
        errors: dict[str, dict[str, float]] = defaultdict(dict)
        for row in stored_rows(name):
            errors[row["design"]][row["seed"]] = float(row[column])
        pairs = [(errors[claim.better], errors[claim.than]) for claim in claims]
        families.append([np.array([b[s] - a[s] for s in a]) for a, b in pairs])
    return families


def p_values(name: str) -> set[str]:
    """Return the p values of a study, corrected by Holm, as they are printed."""
    found = set()
    for family in families_of(name):
        ps = [float(stats.ttest_1samp(values, 0.0).pvalue) for values in family]
        found |= {f"{p:.3f}" for p in holm(ps)}
    return found


def intervals(name: str, *, are_simultaneous: bool) -> set[tuple[str, str]]:
    """Return the intervals of a study as they are printed, of a difference or of its amount."""
    found = set()
    for family in families_of(name):
        level = 0.05 / len(family) if are_simultaneous else 0.05
        for values in family:
            low, high = stats.ttest_1samp(values, 0.0).confidence_interval(1 - level)
            found |= {(f"{low:+.2f}", f"{high:+.2f}"), (f"{-high:+.2f}", f"{-low:+.2f}")}
    return found


def _transfer_differences() -> list[Differences]:
    """Read the seeds' errors from the page; they are counts of its 372 test images."""
    text = (RESULTS / "transfer.md").read_text(encoding="utf-8")
    errors = {}
    for line in text.splitlines():
        cells = [cell.strip(" *") for cell in line.strip("|").split("|")]
        if len(cells) == 3 and re.fullmatch(r"[\d.]+, [\d.]+, [\d.]+", cells[2]):
            counts = [round(float(error) * 3.72) for error in cells[2].split(", ")]
            errors[cells[0]] = np.array(counts) / 3.72
    scratch = errors["from scratch"]
    ways = ("fine-tuned", "linear classifier on frozen features", "k-NN on frozen features")
    return [scratch - errors[way] for way in ways]


def _claims(text: str) -> str:
    """Leave out the times, whose quartiles are of measurements that no row holds."""
    text = re.split(r"\n## Time|<h2>Time</h2>", text)[0]
    text = re.sub(r'src="data:[^"]*"', "", text)
    return re.sub(r"[\d.]+ \([\d.]+ to [\d.]+\) ms|[\d.]+ to [\d.]+ ms", "", text)


FILES = [
    *(RESULTS / f"{name}.md" for name in (*STUDIES, "transfer")),
    *(RESULTS / name / file for name in STUDIES for file in ("results.md", "report.html")),
]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(RESULTS)))
def test_every_p_value_and_interval_follows_from_the_rows(file: Path) -> None:
    name = file.stem if file.parent == RESULTS else file.parent.name
    text = _claims(file.read_text(encoding="utf-8"))
    columns = re.findall(r"\| (0\.\d{3}) \|", text) + re.findall(r'"n">(0\.\d{3})<', text)
    said = {*_P.findall(text), *columns}
    assert said
    known = p_values(name) | p_values(CITED.get(file.name, name))
    assert said <= known | ({"0.001"} if "0.000" in known else set())  # printed as < 0.001
    wanted = intervals(name, are_simultaneous=True)
    if file.suffix == ".html":  # shows each comparison alone beside them
        wanted |= intervals(name, are_simultaneous=False) | _bootstrap(name)
    found = {(f"{float(a):+.2f}", f"{float(b):+.2f}") for a, b in _INTERVAL.findall(text)}
    assert found
    assert found <= wanted


def _bootstrap(name: str) -> set[tuple[str, str]]:
    study = stored_study(name)
    rows = rows_of(name, study)
    both = (*compare(study, rows), *compare_training(study, rows))
    found = [row.bootstrap for row in both if row.bootstrap]
    return {(f"{low:+.2f}", f"{high:+.2f}") for low, high in found}


@pytest.mark.parametrize("name", STUDIES)
def test_the_studys_own_words_are_those_that_the_rows_give_today(name: str) -> None:
    study = stored_study(name)
    rows = rows_of(name, study)
    folder = RESULTS / name
    words = (folder / "results.md").read_text(encoding="utf-8")
    report = html.unescape((folder / "report.html").read_text(encoding="utf-8"))
    answer = summarise_study(study, rows).answer
    assert words.splitlines()[2] == markdown_text(answer)
    assert f"<strong>{answer}</strong>" in report.partition("</h1>")[2].partition("Question: ")[0]
    families = (compare(study, rows), compare_training(study, rows))
    for row in (*families[0], *families[1]):
        assert f"- {markdown_text(verdict(row))}\n" in words
        assert f"<li>{verdict(row)}</li>" in report
    for family in families:
        assert describe_method(family) in words
        assert describe_method(family) in report
    assert len(re.findall(r"^- (?:Not r|R)esolved", words, re.M)) == sum(map(len, families))
    num = sum(row.is_resolved for row in families[0])
    assert f'<div class="value">{num} of {len(families[0])}</div>' in report
    means = [line for line in summary_lines(study, rows) if "±" in line and "|" in line]
    for mean in re.findall(r"\d+\.\d\d ± \d+\.\d\d", " ".join(means)):
        assert mean in words
        assert mean in report
        assert mean in (RESULTS / f"{name}.md").read_text(encoding="utf-8")


def test_verdicts_of_table_4_under_the_family_wise_correction() -> None:
    study = stored_study("table4-cifar10")
    found = compare(study, rows_of("table4-cifar10", study))
    assert [(round(row.corrected_p, 3), row.is_resolved) for row in found] == [
        (0.075, False),  # 16x4d against 1x32d
        (0.003, True),  # 2x32d against deeper
        (0.336, False),  # 2x32d against wider
        (0.015, True),  # 32x4d against deeper
        (0.015, True),  # 32x4d against wider
    ]


@pytest.mark.parametrize("name", [*STUDIES, "transfer"])
def test_no_page_speaks_of_a_correction_without_its_method(name: str) -> None:
    text = (RESULTS / f"{name}.md").read_text(encoding="utf-8")
    assert "corrected p" not in text
    assert "Holm" in text
