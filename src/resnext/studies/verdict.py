"""What a tested difference means, in words that claim no more than it shows."""

from __future__ import annotations

from resnext.studies.statistics import MOST_SEEDS, Difference


def verdict(row: Difference) -> str:
    """Say in one sentence what came out of a comparison."""
    better, than = row.comparison.better, row.comparison.than
    where = f" on {row.data}" + (f", {row.test}" if row.test else "")
    if row.n == 0:
        return f"{better} against {than}{where}: no seed has finished for both."
    if row.interval is None:
        reason = "one seed shows no spread" if row.n == 1 else "the differences have no spread"
        return (
            f"{better} against {than}{where}: not resolved, since {reason} "
            f"({_signed(row.mean)} points, n = {row.n})."
        )
    numbers = (
        f"95 % interval {_signed(row.interval[0])} to {_signed(row.interval[1])}, "
        f"n = {row.n}, corrected p = {_p(row.corrected_p)}"
    )
    if not row.is_resolved:
        return (
            f"{better} against {than}{where}: not resolved at n = {row.n} "
            f"({_signed(row.mean)} points; {numbers}). {_needed(row)}"
        )
    word = "lower" if row.mean > 0 else "HIGHER"
    points = f"{abs(row.mean):.2f} points"
    return f"{better} has a {word} error than {than}{where}, by {points} ({numbers})."


def word(row: Difference) -> str:
    """Say it in a word."""
    if not row.is_resolved:
        return "not resolved"
    return "resolved, as claimed" if row.mean > 0 else "resolved, the other way"


def _needed(row: Difference) -> str:
    if row.n_needed is None:
        return f"More than {MOST_SEEDS} seeds would be needed to resolve a difference of this size."
    return f"About {row.n_needed} seeds would resolve a difference of this size."


def _signed(value: float) -> str:
    return f"{value:+.2f}"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
