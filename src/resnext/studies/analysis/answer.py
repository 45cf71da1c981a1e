"""The answer to a study's question, in one sentence that claims no more than the results show."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from resnext.studies.analysis.differences import Difference
from resnext.studies.analysis.distribution import GroupDifference
from resnext.studies.analysis.problems import num_failed
from resnext.studies.analysis.statistics import Measure, errors_of, means_of, measures_of
from resnext.studies.analysis.verdict import excludes_zero, interval_name, quantity
from resnext.studies.records.results import Row, TrialFigures
from resnext.studies.study import Study

_EQUAL_COST = 1.05
"""Relative difference below which multiply-adds count as equal."""


def describe_answer(
    study: Study,
    rows: Sequence[Row],
    differences: Sequence[Difference],
    groups: Sequence[GroupDifference],
) -> str:
    """Answer the question of a study.

    Args:
        study: The study.
        rows: All of its rows.
        differences: Its tested comparisons.
        groups: Its tested comparisons of distributions.
    """
    if not any(row.figures for row in rows):
        return "No answer yet: no trial has finished."
    if differences:
        text = _of_comparisons(rows, differences)
    elif groups:
        text = _of_groups(groups)
    else:
        text = _of_one_group(study, rows)
    return _so_far(rows) + text + _caution(rows)


def _so_far(rows: Sequence[Row]) -> str:
    """Describe the progress of a study that is not done."""
    states = Counter(row.state for row in rows)
    num_open = len(rows) - states["done"] - states["pruned"]
    return f"So far ({states['done']} of {len(rows)} trials done): " if num_open else ""


def _caution(rows: Sequence[Row]) -> str:
    failed = num_failed(rows)
    if not failed:
        return ""
    trials = f"{failed} of {len(rows)} trials"
    return f" Caution: {trials} diverged or learned nothing; see below."


def _of_comparisons(rows: Sequence[Row], differences: Sequence[Difference]) -> str:
    fair = [row for row in differences if not row.cautions]
    if not fair:
        return "No answer: every comparison includes trials that diverged or learned nothing."
    tested = [row for row in fair if row.shown_interval is not None]
    if not tested:
        return _untested(fair)
    resolved = [row for row in tested if row.is_resolved]
    # Holm's test may resolve a difference whose simultaneous interval includes 0
    clear = [row for row in resolved if excludes_zero(row)]
    lead = max(clear or resolved or tested, key=lambda row: abs(row.mean))
    low, high = lead.shown_interval or (math.nan, math.nan)
    if lead.is_resolved:
        amount = (low, high) if lead.mean > 0 else (-high, -low)
        metric = lead.measure.metric
        amount_word = "more" if metric.is_higher_better == (lead.mean > 0) else "less"
        return (
            f"{_cost(rows, lead)}“{lead.comparison.better}” has {abs(lead.mean):.2f} points "
            f"{amount_word} {quantity(metric)} than “{lead.comparison.than}” on "
            f"{lead.measure} ({_interval(lead, *amount)}){_rest(differences, len(resolved))}."
        )
    better, than = lead.comparison.better, lead.comparison.than
    pair = f"“{better}” and “{than}” on {lead.measure}"
    ahead = (better, low, high) if lead.mean >= 0 else (than, -high, -low)
    found = f"{abs(lead.mean):.2f} points in favour of “{ahead[0]}” ({_interval(lead, *ahead[1:])})"
    seeds = "" if lead.n_needed is None else f"; about {lead.n_needed} seeds might resolve it"
    if len(fair) == 1:
        return f"The difference between {pair} is not statistically significant: {found}{seeds}."
    return (
        f"None of {len(fair)} comparisons shows a statistically significant difference; the "
        f"largest is between {pair}: {found}{seeds}."
    )


def _interval(row: Difference, low: float, high: float) -> str:
    """Format the interval for a sentence; with `+` only where the signs may differ."""
    name = interval_name(row).removesuffix("CI") + "interval"
    sign = "" if low > 0 else "+"
    return f"{name} {low:{sign}.2f} to {high:{sign}.2f}, n = {row.n} seeds"


def _rest(differences: Sequence[Difference], num_resolved: int) -> str:
    """Summarise the other comparisons, so that the largest does not represent all."""
    num, unfair = len(differences), sum(bool(row.cautions) for row in differences)
    if num == 1:
        return ""
    parts = [f"{num_resolved} found a difference", f"{num - num_resolved - unfair} did not"]
    if unfair:
        parts.append(f"{unfair} cannot be judged, because trials failed")
    *most, last = parts
    return f"; of {num} comparisons, {', '.join(most)} and {last}"


def _untested(differences: Sequence[Difference]) -> str:
    if all(row.num_stopped for row in differences):
        return (
            "No answer: halving stopped trials of every comparison, so nothing can be tested; run "
            "again without --halving."
        )
    most = max(row.n for row in differences)
    if most == 0:
        return "No answer yet: no seed has finished both designs of a comparison."
    if most == 1:
        return (
            "No answer: with one seed there is no spread, so no difference can be tested; run at "
            "least three seeds (--seeds 0 1 2)."
        )
    return "No answer: the seeds show no spread, so no difference can be tested."


def _cost(rows: Sequence[Row], row: Difference) -> str:
    """Describe the relative cost of the better design, where known."""
    costs = {r.design.label: r.figures for r in rows if r.figures}
    better, than = costs.get(row.comparison.better), costs.get(row.comparison.than)
    if not isinstance(better, TrialFigures) or not isinstance(than, TrialFigures):
        return ""
    ratio = better.macs / than.macs
    if 1 / _EQUAL_COST <= ratio <= _EQUAL_COST:
        return "At equal cost, "
    return f"With {ratio:.2f} times the multiply-adds, "


def _of_groups(groups: Sequence[GroupDifference]) -> str:
    tested = [row for row in groups if not math.isnan(row.p)]
    if not tested:
        return (
            "No answer: halving stopped trials, so the finished designs are a biased selection; "
            "run again without --halving."
        )
    lead = min(tested, key=lambda row: row.corrected_p)
    better, worse = sorted((lead.first, lead.second), key=lambda group: np.median(group.values))
    medians = (
        f"{better.name} has a median error of {np.median(better.values):.2f} % "
        f"(n = {len(better.errors)} designs), {worse.name} of {np.median(worse.values):.2f} % "
        f"(n = {len(worse.errors)})"
    )
    if lead.is_resolved:
        return f"On {lead.measure} the errors are distributed differently: {medians}."
    return f"On {lead.measure} no difference is statistically significant: {medians}."


def _of_one_group(study: Study, rows: Sequence[Row]) -> str:
    measure = next(m for m in measures_of(study) if errors_of(rows, m))
    means = means_of(errors_of(rows, measure))
    if len(means) == 1:
        (mean,) = means.values()
        spread = "" if mean.deviation is None else f" ± {mean.deviation:.2f}"
        return (
            f"Nothing is compared: “{mean.label}” has a top-1 error of {mean.mean:.2f}{spread} % "
            f"on {measure} (n = {mean.n} {'seed' if mean.n == 1 else 'seeds'})."
        )
    return _range([mean.mean for mean in means.values()], measure)


def _range(errors: Sequence[float], measure: Measure) -> str:
    return (
        f"The study compares nothing: on {measure} the errors of {len(errors)} designs are "
        f"{min(errors):.2f} to {max(errors):.2f} %, with a median of {np.median(errors):.2f} %."
    )
