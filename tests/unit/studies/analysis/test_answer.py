"""The sentence that a study's report begins with."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from made_study import made_design_space, made_figures, made_row, made_rows, made_study
from stored_studies import rows_of, stored_study

from resnext.studies.analysis.summary import as_dict, summarise_study, summary_lines
from resnext.studies.records.results import Row
from resnext.studies.records.trial import plan_trials
from resnext.studies.study import Study

A = [8.0, 8.2, 8.1]
STUDY = made_study(seeds=(0, 1, 2))


def answer(b: Sequence[float | None], a: Sequence[float | None] = A) -> str:
    return summarise_study(STUDY, made_rows(STUDY, {"a": a, "b": b})).answer


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "paths-fashion-mnist",
            "The difference between “16x4d” and “1x35d” on fashion-mnist is not statistically "
            "significant: 0.14 points in favour of “16x4d” (95 % interval -0.11 to +0.40, n = 6 "
            "seeds); about 26 seeds might resolve it.",
        ),
        (
            "residual-fashion-mnist",
            "At equal cost, “4x6d with shortcuts” has 0.35 points less error than “1x16d with "
            "shortcuts” on fashion-mnist (simultaneous 95 % interval 0.21 to 0.49, n = 3 seeds); "
            "of 4 comparisons, 1 found a difference and 3 did not.",
        ),
        (
            "table4-cifar10",
            "With 0.91 times the multiply-adds, “2x cardinality: 11 layers, 2x32d” has 2.93 points "
            "more error than “2x deeper: 23 layers, 1x32d” on cifar10-jpeg-q75 (simultaneous 95 % "
            "interval 1.54 to 4.33, n = 5 seeds); of 5 comparisons, 3 found a difference and 2 did "
            "not.",
        ),
    ],
)
def test_finished_studies_have_the_answer_that_their_rows_give(name: str, text: str) -> None:
    study = stored_study(name)
    assert summarise_study(study, rows_of(name, study)).answer == text


@pytest.mark.parametrize(
    ("b", "a", "start"),
    [
        ([7.0, 7.21, 7.09], A, "With 1.08 times the multiply-adds, “b” has 1.00 points less"),
        ([9.0, 9.21, 9.09], A, "With 1.08 times the multiply-adds, “b” has 1.00 points more"),
        (
            [8.2, 8.1, 8.2],
            A,
            "The difference between “b” and “a” on digits is not statistically signi",
        ),
        (
            [7.0, None, None],
            A,
            "So far (4 of 6 trials done): No answer: with one seed there is no spread",
        ),
        ([None, None, 7.0], [8.0, None, None], "So far (2 of 6 trials done): No answer yet"),
        ([7.0, 7.2, 7.1], A, "No answer: the seeds show no spread"),
        ([None] * 3, [None] * 3, "No answer yet: no trial has finished."),
    ],
)
def test_the_answer_claims_what_was_found(
    b: Sequence[float | None], a: Sequence[float | None], start: str
) -> None:
    assert answer(b, a).startswith(start)


def test_a_difference_that_is_chance_is_told_in_favour_of_the_design_ahead() -> None:
    assert "0.07 points in favour of “a” (95 % interval -0.40 to +0.54" in answer([8.2, 8.05, 8.25])


def test_what_halving_selected_gives_no_answer() -> None:
    rows = [
        made_row(row.trial, None, state="pruned") if row.design.label == "b" else row
        for row in made_rows(STUDY, {"a": A, "b": A})
    ]
    found = summarise_study(STUDY, rows).answer
    assert found.startswith("No answer: halving stopped trials of every comparison")


@pytest.mark.parametrize(
    ("points", "text"),
    [(1.0, "are distributed differently"), (0.0, "no difference is statistically significant")],
)
def test_a_distribution_is_answered_by_the_medians_of_its_groups(points: float, text: str) -> None:
    found = summarise_study(*made_design_space(points)).answer
    assert text in found
    assert found.count("median") == 1


def test_a_single_design_is_not_compared() -> None:
    study = made_study(["a"], seeds=(0,))
    found = summarise_study(study, made_rows(study, {"a": [5.0]})).answer
    assert found == ("Nothing is compared: “a” has a top-1 error of 5.00 % on digits (n = 1 seed).")


def test_the_answer_comes_first_in_text_and_json() -> None:
    rows = made_rows(STUDY, {"a": A, "b": [7.0, 7.21, 7.09]})
    text = summarise_study(STUDY, rows).answer
    assert summary_lines(STUDY, rows)[:3] == ["# made", "", text]
    assert next(iter(as_dict(STUDY, rows).items())) == ("answer", text)


def with_problems(problems: dict[tuple[str, int], tuple[str, ...]]) -> tuple[Study, list[Row]]:
    """Return a study with what went wrong in trials, by label and seed."""
    rows = []
    for trial in plan_trials(STUDY):
        found = problems.get((trial.design.label, trial.seed), ())
        error = 8.0 + 0.1 * trial.seed + (trial.design.label == "b") + 0.01 * trial.seed**2
        rows.append(made_row(trial, error, figures=made_figures(trial, error, problems=found)))
    return STUDY, rows


def test_a_useless_network_is_not_compared_silently() -> None:
    study, rows = with_problems({("b", 0): ("useless",), ("b", 2): ("exploding", "useless")})
    summary = summarise_study(study, rows)
    assert summary.answer == (
        "No answer: every comparison includes trials that diverged or learned nothing. Caution: 2 "
        "of 6 trials diverged or learned nothing; see below."
    )
    (found,) = summary.differences
    assert found.cautions == (
        "“b” on digits (seeds 0, 2) learned nothing: it is no better than guessing; train "
        "longer (--set schedule.epochs=N), and check the learning rate and the data (resnext "
        "data check)",
        "“b” on digits (seed 2) diverged; lower the learning rate (--set optim.lr=RATE) or clip "
        "the gradient (--set optim.clip_norm=1)",
    )
    lines = "\n".join(summary_lines(study, rows))
    assert "Not a fair comparison: “b” on digits (seeds 0, 2) learned nothing" in lines
    assert "## Trials with problems" in lines
    values = as_dict(study, rows)
    assert values["problems"] == list(summary.problems)
    problems = [trial["problems"] for trial in values["trials"] if trial["problems"]]
    assert problems == ["useless", "exploding, useless"]


def test_overfitting_is_named_and_leaves_the_comparison_fair() -> None:
    study, rows = with_problems({("a", 1): ("overfitting",)})
    summary = summarise_study(study, rows)
    assert summary.problems[0].startswith("“a” on digits (seed 1) overfits strongly; use more")
    assert "Caution" not in summary.answer
    assert summary.differences[0].cautions == ()


def test_a_problem_that_this_version_does_not_know_is_no_reason_to_fail() -> None:
    study, rows = with_problems({("a", 1): ("something new",)})
    assert summarise_study(study, rows).problems == []


def test_a_comparison_that_is_not_fair_does_not_lead_the_answer() -> None:
    study = made_study("abc", seeds=(0, 1, 2))
    errors = {"a": A, "b": [90.0, 90.1, 90.05], "c": [7.0, 7.21, 7.09]}
    rows = [
        made_row(
            row.trial,
            row.value(),
            figures=made_figures(row.trial, row.value() or 0.0, problems=("useless",)),
        )
        if row.design.label == "b"
        else row
        for row in made_rows(study, errors)
    ]
    found = summarise_study(study, rows).answer
    assert "“c” has 1.00 points less error than “a” on digits" in found
    assert (
        "of 2 comparisons, 1 found a difference, 0 did not and 1 cannot be judged, because trials "
        "failed. Caution: 3 of 9 trials"
    ) in found
