"""Describes a tested difference without claiming more than it shows."""

from __future__ import annotations

from collections.abc import Sequence

from resnext.studies.analysis.corrections import LEVEL, describe_p
from resnext.studies.analysis.differences import Difference
from resnext.studies.analysis.power import MAX_SEEDS
from resnext.studies.records.metric import TOP1_ERROR
from resnext.tasks.measure import Measure as Metric


def verdict(row: Difference) -> str:
    """Describe the result of a comparison in one or two sentences."""
    sentences = [_finding(row)]
    if row.interval is not None and not row.is_resolved:
        sentences.append(_needed(row))
    if row.is_resolved and not excludes_zero(row):
        sentences.append("Holm's test resolves it although the simultaneous interval includes 0.")
    if row.unpaired and not row.num_stopped:
        seeds = ", ".join(map(str, row.unpaired))
        word = "Seed" if len(row.unpaired) == 1 else "Seeds"
        sentences.append(f"{word} {seeds}: finished for only one of the two and left out.")
    sentences += [f"Not a fair comparison: {text}." for text in row.cautions]
    return " ".join(sentences)


def word(row: Difference) -> str:
    """Describe the verdict in a word or two."""
    if row.num_stopped:
        return "not tested"
    if not row.is_resolved:
        return "not resolved"
    return "resolved" if row.mean > 0 else "resolved the other way"


def excludes_zero(row: Difference) -> bool:
    """Return whether the verdict's interval excludes 0."""
    low, high = row.shown_interval or (0.0, 0.0)
    return not low <= 0 <= high


def quantity(metric: Metric) -> str:
    """Name what a study measures: `error`, or the measure of another task, such as `mIoU`."""
    if metric.key in (TOP1_ERROR, f"train_{TOP1_ERROR}"):
        return "error"
    label = metric.label.removesuffix(", training")
    return label if metric.is_higher_better else f"share of {label}"


def interval_name(row: Difference) -> str:
    """Name the kind of interval shown with a verdict."""
    kinds = {"none": "", "Holm": "simultaneous ", "Benjamini-Hochberg": "pointwise "}
    return f"{kinds[row.correction]}95 % CI"


def describe_method(rows: Sequence[Difference]) -> str:
    """Describe how the p values and intervals of a family of comparisons were computed."""
    correction, num = (rows[0].correction, rows[0].num_compared) if rows else ("none", 0)
    start = f"Paired t tests at {100 * LEVEL:g} %"
    if correction == "none":
        return f"{start}; there is one comparison, so nothing is corrected."
    if correction == "Holm":
        return (
            f"{start}, family-wise: p is corrected by Holm's method for all {num} comparisons, "
            "so the probability of any false verdict is at most that. The intervals are "
            "simultaneous (Student's t at Bonferroni's level): all of them hold jointly with 95 "
            "% probability. Holm's test is more powerful, so an interval may include 0 although "
            "its difference is resolved."
        )
    return (
        f"{start}: p is corrected by Benjamini and Hochberg's method for all {num} comparisons, "
        "which bounds the expected share of false verdicts among the resolved (false discovery "
        "rate), not the probability of any. Each interval covers its comparison alone."
    )


def _finding(row: Difference) -> str:
    better, than = f"“{row.comparison.better}”", f"“{row.comparison.than}”"
    if row.num_stopped:
        return (
            f"Not tested: {better} against {than} on {row.measure}; halving stopped "
            f"{row.num_stopped} of their trials because of their errors, so the finished seeds "
            "are a biased selection. Run again without --halving to train the others too."
        )
    if row.n == 0:
        return f"No answer: {better} against {than} on {row.measure}; no seed has finished both."
    if row.shown_interval is None:
        return (
            f"Not resolved: {better} against {than} on {row.measure}, {_signed(row.mean)} points; "
            + ("one seed shows no spread." if row.n == 1 else _without_spread(row))
        )
    low, high = row.shown_interval
    if row.is_resolved and row.mean < 0:  # the sentence tells the amount, without its sign
        low, high = -high, -low
    p = describe_p(row.corrected_p, row.correction, f"{row.num_compared} comparisons")
    numbers = f"{interval_name(row)} {_signed(low)} to {_signed(high)}, n = {row.n}, {p}"
    if not row.is_resolved:
        return (
            f"Not resolved at n = {row.n}: {better} against {than} on {row.measure}, "
            f"{_signed(row.mean)} points ({numbers})."
        )
    metric = row.measure.metric
    start = "Resolved" if row.mean > 0 else "Resolved the other way"
    direction = "higher" if metric.is_higher_better == (row.mean > 0) else "lower"
    return (
        f"{start}: {better} has a {direction} {quantity(metric)} than {than} on {row.measure}, "
        f"by {abs(row.mean):.2f} points ({numbers})."
    )


def _without_spread(row: Difference) -> str:
    return (
        f"all {row.n} seeds differ by exactly the same amount, so there is no spread to test "
        "against."
    )


def _needed(row: Difference) -> str:
    alone = ""
    if row.p < LEVEL:
        alone = (
            "It would be resolved if it were the only comparison, but it is one of "
            f"{row.num_compared}. "
        )
    if row.n_needed is None:
        return (
            f"{alone}Even {MAX_SEEDS} seeds would probably not resolve a difference of this size."
        )
    return f"{alone}About {needed_text(row)} seeds would resolve a difference of this size."


def needed_text(row: Difference) -> str:
    """Format the number of seeds that would resolve an unresolved difference."""
    return f"> {MAX_SEEDS}" if row.n_needed is None else str(row.n_needed)


def _signed(value: float) -> str:
    return f"{value:+.2f}"
