from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_study import made_row, made_rows, made_study
from nonempty import nonempty

from resnext.studies.analysis.differences import Difference, compare
from resnext.studies.analysis.table import error_tables
from resnext.studies.analysis.verdict import describe_method, needed_text, verdict, word
from resnext.studies.study import Comparison

STUDY = made_study(seeds=(0, 1, 2), comparisons=(Comparison(better="b", than="a"),))
A = [8.0, 8.2, 8.1]


def difference(b: Sequence[float | None], a: Sequence[float | None] = A) -> Difference:
    (found,) = compare(STUDY, made_rows(STUDY, {"a": a, "b": b}))
    return found


def test_a_lower_error_is_resolved_with_its_size_interval_and_number() -> None:
    found = difference([7.0, 7.21, 7.09])
    assert word(found) == "resolved"
    text = verdict(found)
    assert text.startswith("Resolved: “b” has a lower error than “a” on digits, by 1.00 points")
    # 1 ± 4.303 * 0.01 / sqrt(3): Student's t of 2 degrees of freedom
    assert "(95 % CI +0.98 to +1.02, n = 3, p < 0.001)" in text


def test_a_higher_error_is_resolved_the_other_way() -> None:
    found = difference([9.0, 9.21, 9.09])
    assert word(found) == "resolved the other way"
    assert verdict(found).startswith(
        "Resolved the other way: “b” has a higher error than “a” on digits, by 1.00 points"
    )
    assert "95 % CI +0.98 to +1.02" in verdict(found)  # of the amount that the sentence tells


def test_chance_is_not_resolved_and_says_how_many_seeds_it_takes() -> None:
    found = difference([7.0, 8.4, 7.9])
    assert word(found) == "not resolved"
    text = verdict(found)
    assert text.startswith("Not resolved at n = 3: “b” against “a” on digits, +0.33 points")
    assert text.endswith(f"About {found.n_needed} seeds would resolve a difference of this size.")


def test_a_difference_of_nothing_is_not_promised_to_be_resolved() -> None:
    found = difference([8.1, 8.1, 8.1])
    assert needed_text(found) == "> 200"
    assert verdict(found).endswith(
        "Even 200 seeds would probably not resolve a difference of this size."
    )


def test_one_seed_is_never_a_claim() -> None:
    found = difference([1.0, None, None])
    assert word(found) == "not resolved"
    text = verdict(found)
    assert text.startswith("Not resolved: “b” against “a” on digits, +7.00 points; one seed")
    assert text.endswith("Seeds 1, 2: finished for only one of the two and left out.")


def test_equal_differences_leave_no_spread_to_judge_by() -> None:
    text = verdict(difference([7.0, 7.2, 7.1]))
    assert text.startswith("Not resolved")
    assert "no spread to test against" in text


def test_nothing_finished_is_no_answer() -> None:
    text = verdict(difference([None, None, None], [None, None, None]))
    assert text == "No answer: “b” against “a” on digits; no seed has finished both."


def test_a_claim_that_only_the_correction_fails_says_so() -> None:
    study = made_study("abc", seeds=(0, 1, 2))
    errors = {"a": A, "b": [7.8, 8.09, 7.95], "c": [8.1, 8.1, 8.1]}
    found = compare(study, made_rows(study, errors))[0]
    assert found.p < 0.05 < found.corrected_p
    assert "It would be resolved if it were the only comparison, but it is one of 2." in verdict(
        found
    )


def test_a_corrected_p_value_names_its_method_and_number() -> None:
    study = made_study("abc", seeds=(0, 1, 2))
    errors = {"a": A, "b": [7.0, 7.21, 7.09], "c": [8.1, 8.1, 8.1]}
    rows = made_rows(study, errors)
    planned = compare(study, rows)[0]
    assert "simultaneous 95 % CI " in verdict(planned)
    assert "p < 0.001 by Holm for 2 comparisons" in verdict(planned)
    assert "Holm" in describe_method([planned])
    assert "Bonferroni" in describe_method([planned])


def test_a_false_discovery_rate_is_named_as_such() -> None:
    pairs = (Comparison(better="b", than="a"), Comparison(better="c", than="a"))
    study = made_study("abc", seeds=(0, 1, 2), kind="distribution", comparisons=pairs)
    found = compare(study, made_rows(study, {"a": A, "b": [7.0, 7.21, 7.09], "c": [7, 8.4, 7.9]}))
    assert "pointwise 95 % CI" in verdict(found[0])
    assert "p < 0.001 by Benjamini-Hochberg for 2 comparisons" in verdict(found[0])
    assert "false discovery rate" in describe_method(found)


def test_a_resolved_difference_whose_interval_includes_zero_says_why() -> None:
    study = made_study("abc", seeds=(0, 1, 2))
    errors = {"a": A, "b": [7.0, 7.21, 7.09], "c": [7.6, 7.65, 7.80]}
    found = compare(study, made_rows(study, errors))[1]
    assert found.is_resolved
    assert found.simultaneous_interval is not None
    assert found.simultaneous_interval[0] < 0
    assert "although the simultaneous interval includes 0" in verdict(found)


@pytest.mark.slow
@given(
    st.lists(st.floats(-2, 2), min_size=3, max_size=3),
    st.lists(st.floats(-2, 2), min_size=3, max_size=3),
)
@settings(max_examples=60, deadline=None)
def test_more_seeds_are_asked_for_than_there_were(b: list[float], c: list[float]) -> None:
    errors = {"a": A, "b": [x + 8 for x in b], "c": [x + 8 for x in c]}
    study = made_study("abc", seeds=(0, 1, 2))
    for found in nonempty(compare(study, made_rows(study, errors))):
        if found.interval is not None and not found.is_resolved:
            assert found.n_needed is None or found.n_needed > found.n


def test_seeds_that_halving_selected_are_not_tested() -> None:
    """Their mean is too low by being selected: here the designs are the same but for that."""
    rows = made_rows(STUDY, {"a": A, "b": [7.0, 7.21, 7.09]})
    rows = [
        made_row(row.trial, None, state="pruned")
        if (row.design.label, row.trial.seed) == ("b", 2)
        else row
        for row in rows
    ]
    (found,) = compare(STUDY, rows)
    assert (word(found), found.is_resolved, found.interval) == ("not tested", False, None)
    assert verdict(found).startswith(
        "Not tested: “b” against “a” on digits; halving stopped 1 of their trials"
    )
    (table,) = error_tables(STUDY, rows)
    (_, (a,)), (_, (b,)) = table.rows
    assert a is not None
    assert a.is_best
    assert str(b).endswith("(2), 1 stopped")
