"""What a tested difference means, in words that claim no more than it shows."""

from __future__ import annotations

from resnext.studies.differences import LEVEL, Difference
from resnext.studies.power import MOST_SEEDS


def verdict(row: Difference) -> str:
    """Say in one or two sentences what came out of a comparison."""
    sentences = [_finding(row)]
    if row.interval is not None and not row.is_resolved:
        sentences.append(_needed(row))
    if row.unpaired and not row.num_stopped:
        seeds = ", ".join(map(str, row.unpaired))
        word = "Seed" if len(row.unpaired) == 1 else "Seeds"
        sentences.append(f"{word} {seeds}: finished for one of the two only, and left out.")
    return " ".join(sentences)


def word(row: Difference) -> str:
    """Say it in a word or two."""
    if row.num_stopped:
        return "not tested"
    if not row.is_resolved:
        return "not resolved"
    return "resolved" if row.mean > 0 else "resolved the other way"


def _finding(row: Difference) -> str:
    better, than = f"“{row.comparison.better}”", f"“{row.comparison.than}”"
    if row.num_stopped:
        return (
            f"Not tested: {better} against {than} on {row.measure}; halving stopped "
            f"{row.num_stopped} of their trials for their errors, so that the seeds that finished "
            "are a selection. Run again without --halving to train those too."
        )
    if row.n == 0:
        return f"No answer: {better} against {than} on {row.measure}; no seed has finished both."
    if row.interval is None:
        return (
            f"Not resolved: {better} against {than} on {row.measure}, {_signed(row.mean)} points; "
            + ("one seed shows no spread." if row.n == 1 else _without_spread(row))
        )
    low, high = row.interval
    if row.is_resolved and row.mean < 0:  # the sentence tells the amount, without its sign
        low, high = -high, -low
    numbers = (
        f"95 % CI {_signed(low)} to {_signed(high)}, n = {row.n}, corrected p {_p(row.corrected_p)}"
    )
    if not row.is_resolved:
        return (
            f"Not resolved at n = {row.n}: {better} against {than} on {row.measure}, "
            f"{_signed(row.mean)} points ({numbers})."
        )
    start, direction = (
        ("Resolved", "lower") if row.mean > 0 else ("Resolved the other way", "higher")
    )
    return (
        f"{start}: {better} has a {direction} error than {than} on {row.measure}, "
        f"by {abs(row.mean):.2f} points ({numbers})."
    )


def _without_spread(row: Difference) -> str:
    return f"the {row.n} seeds differ by exactly the same, which leaves no spread to judge by."


def _needed(row: Difference) -> str:
    alone = ""
    if row.p < LEVEL:
        alone = f"It would be resolved as the only question, but is one of {row.num_compared}. "
    if row.n_needed is None:
        return f"{alone}Even {MOST_SEEDS} seeds would hardly resolve a difference of this size."
    return f"{alone}About {needed_text(row)} seeds would resolve a difference of this size."


def needed_text(row: Difference) -> str:
    """Say how many seeds would resolve a difference that is not resolved."""
    return f"> {MOST_SEEDS}" if row.n_needed is None else str(row.n_needed)


def _signed(value: float) -> str:
    return f"{value:+.2f}"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"
