from __future__ import annotations

import pytest
from made_study import made_design_space, made_row, simulated_rows
from scipy import stats

from resnext.studies.analysis.distribution import ALL, compare_groups, groups_of
from resnext.studies.analysis.statistics import Measure
from resnext.studies.analysis.summary import as_dict

CIFAR = Measure("cifar10")


def test_designs_are_grouped_by_their_row_and_told_by_their_mean_error() -> None:
    study, rows = made_design_space()
    groups = groups_of(study, rows, CIFAR)
    assert {group.name for group in groups} == {"cardinality 1", "cardinality above 1"}
    assert sum(len(group.errors) for group in groups) == len(study.designs)
    assert all(group.errors[label] > 0 for group in groups for label in group.errors)


def test_designs_without_a_row_are_one_group() -> None:
    study, rows = made_design_space()
    plain = study.replace(designs=tuple(d.replace(row="") for d in study.designs))
    (group,) = groups_of(plain, rows, CIFAR)
    assert group.name == ALL


def test_designs_that_were_stopped_early_are_counted_not_forgotten() -> None:
    study, rows = made_design_space()
    stopped = rows[0].design
    rows[0] = made_row(rows[0].trial, None, state="pruned")
    group = next(g for g in groups_of(study, rows, CIFAR) if g.name == stopped.row)
    assert stopped.label not in group.errors
    assert group.num_unfinished == 1


def test_groups_are_compared_by_the_largest_distance_of_their_distributions() -> None:
    study, rows = made_design_space(points_apart=3.0)
    (found,) = compare_groups(study, rows)
    first, second = found.first.values, found.second.values
    values = sorted(first + second)
    by_hand = max(
        abs(sum(e <= x for e in first) / len(first) - sum(e <= x for e in second) / len(second))
        for x in values
    )
    assert found.statistic == pytest.approx(by_hand)
    assert found.p == found.corrected_p == pytest.approx(stats.ks_2samp(first, second).pvalue)
    assert found.is_resolved
    assert str(found).startswith("Resolved: on cifar10 the errors of")


@pytest.mark.slow
def test_groups_that_are_drawn_alike_are_not_resolved() -> None:
    study, _ = made_design_space()
    means = {design.label: 9.0 for design in study.designs}
    resolved = 0
    for seed in range(100):
        rows = simulated_rows(study, means, seed=seed, shared=0.0, own=0.5)
        (found,) = compare_groups(study, rows)
        resolved += found.is_resolved
    assert resolved <= 11  # 5 expected; three standard deviations more


def test_a_single_design_makes_no_distribution() -> None:
    study, rows = made_design_space()
    lonely = next(design.label for design in study.designs if design.row == "cardinality 1")
    kept = [row for row in rows if row.design.row != "cardinality 1" or row.design.label == lonely]
    assert compare_groups(study, kept) == []


def test_a_table_is_no_distribution() -> None:
    study, rows = made_design_space()
    assert compare_groups(study.replace(kind="table"), rows) == []


def test_designs_that_halving_selected_are_not_tested() -> None:
    study, rows = made_design_space(points_apart=3.0)
    rows[0] = made_row(rows[0].trial, None, state="pruned")
    (found,) = compare_groups(study, rows)
    assert not found.is_resolved
    assert str(found).startswith("Not tested: on cifar10, whether the errors of")
    assert as_dict(study, rows)["group_differences"][0]["p"] is None
