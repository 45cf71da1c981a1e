"""Formats the summary of a data set as a few lines."""

from __future__ import annotations

from collections.abc import Mapping

from resnext.data.sets.describe_signal import describe_signal
from resnext.data.sets.summary import WITHOUT_CLASS, DataSummary
from resnext.model.signal import noun_of

_NUM_CLASSES_SHOWN = 6
_NUM_SHARES = 24
_UNBALANCED = 5
"""Imbalance between the largest and smallest class from which balancing is suggested."""


def summary_lines(summary: DataSummary, *, has_weights: bool = False) -> list[tuple[str, str]]:
    """Format a summary as short lines, each a heading and a text.

    Args:
        summary: The summary.
        has_weights: Whether training starts from weights, so that this is not suggested.
    """
    counts, noun = summary.num_images, noun_of(summary.signal)
    splits = ", ".join(f"{number:,} {split}" for split, number in counts.items())
    lines = [
        (
            "data",
            f"{summary.name}: {sum(counts.values()):,} {noun}; {_class_line(summary)}",
        ),
        ("split", f"{splits} ({summary.split_source})"),
    ]
    if summary.signal is not None:
        lines.append(("input", describe_signal(summary.signal)))
    if summary.unknown_share is not None:
        lines.append(("unknown", f"{summary.unknown_share:.1f} % of the tokens of val"))
    if summary.num_objects:
        lines.append(("objects", _object_line(summary.num_objects)))
    if summary.pixel_shares:
        lines.append(("pixels", _pixel_line(summary.pixel_shares)))
    if summary.sizes is not None:
        sizes = summary.sizes
        low, mid, high = (f"{w} x {h}" for w, h in (sizes.smallest, sizes.median, sizes.largest))
        of = f"of {sizes.num_images} sampled" if sizes.num_images < sum(counts.values()) else ""
        lines.append(("sizes", " ".join(f"{low} to {high} pixels, median {mid} {of}".split())))
    if summary.formats:
        lines.append(("formats", _counted(summary.formats)))
    if summary.skipped:
        lines.append(("skipped", _counted(summary.skipped)))
    if summary.guess is not None and counts["val"]:
        label, error = summary.guess
        lines.append(("guessing", f"always predicting {label!r} is wrong for {error:.1f} % of val"))
    advice = [] if has_weights else [("advice", text) for text in summary.advice]
    if summary.targets == "class" and (imbalance := _imbalance_line(summary)):
        lines.append(("balance", imbalance))
    return lines + advice + [("warning", text) for text in summary.warnings]


_NOUNS = {
    "class": "classes",
    "labels": "labels",
    "number": "numbers",
    "mask": "classes",
    "boxes": "classes",
}


def _class_line(summary: DataSummary) -> str:
    noun = _NOUNS[summary.targets]
    totals = [sum(counts) for counts in zip(*summary.counts.values(), strict=True)]
    named = sorted(zip(totals, summary.classes, strict=True), reverse=True)
    num = len(named)
    if num <= _NUM_CLASSES_SHOWN:
        shown = ", ".join(f"{name} {total:,}" for total, name in named)
        return f"{num} {noun}: {shown}"
    (most, largest), (least, smallest) = named[0], named[-1]
    return f"{num:,} {noun}, from {largest} ({most:,}) to {smallest} ({least:,})"


def _object_line(counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    shown = [f"{number:,} {name}" for name, number in ordered[:_NUM_SHARES]]
    more = f" and {len(ordered) - _NUM_SHARES} more" if len(ordered) > _NUM_SHARES else ""
    return f"{sum(counts.values()):,} objects: {', '.join(shown)}{more}"


def _pixel_line(shares: Mapping[str, float]) -> str:
    ordered = sorted(shares.items(), key=lambda item: -item[1])
    shown = [
        f"{name} {share:.2g} %" if share < 10 else f"{name} {share:.1f} %"
        for name, share in ordered
        if name != WITHOUT_CLASS
    ]
    more = f" and {len(shown) - _NUM_SHARES} more" if len(shown) > _NUM_SHARES else ""
    none = f"; without a class {shares[WITHOUT_CLASS]:.1f} %"
    return ", ".join(shown[:_NUM_SHARES]) + more + none


def _imbalance_line(summary: DataSummary) -> str:
    """Suggest balancing if the numbers of training images differ a lot between classes."""
    counts = summary.counts["train"]
    least, most = min(counts, default=0), max(counts, default=0)
    if not least or most < _UNBALANCED * least:
        return ""
    largest, smallest = (summary.classes[counts.index(number)] for number in (most, least))
    return (
        f"{largest} has {most / least:,.0f} times as many training images as {smallest}; if rare "
        "classes matter as much as frequent ones, train with --balance"
    )


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in counts.items())
