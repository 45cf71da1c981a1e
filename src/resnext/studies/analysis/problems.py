"""Finished trials that learned too little for a comparison to be meaningful."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from resnext.studies.records.results import Row

_FOUND = {
    "exploding": "diverged",
    "useless": "learned nothing: it is no better than guessing",
    "overfitting": "overfits strongly",
}
_REMEDY = {
    "exploding": "lower the learning rate (--set optim.lr=RATE) or clip the gradient "
    "(--set optim.clip_norm=1)",
    "useless": "train longer (--set schedule.epochs=N), and check the learning rate and the data "
    "(resnext data check)",
    "overfitting": "use more data or stronger augmentation",
}
FAILURES = ("exploding", "useless")
"""Problems that make a network's error meaningless for its design."""


def describe_problems(
    rows: Iterable[Row], kinds: Collection[str] = tuple(_FOUND), labels: Collection[str] = ()
) -> list[str]:
    """Describe the trials with problems in training, and what to do.

    Args:
        rows: The trials.
        kinds: Problems to look for.
        labels: Labels of the designs to check; by default all.

    Returns:
        A sentence for each design, data set and problem.
    """
    found: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for row in rows:
        problems = () if row.figures is None else row.figures.problems
        if labels and row.design.label not in labels:
            continue
        for kind in _FOUND:
            if kind in kinds and kind in problems:
                found[row.design.label, row.trial.data, kind].append(row.trial.seed)
    return [
        f"“{label}” on {data} ({_seeds(seeds)}) {_FOUND[kind]}; {_REMEDY[kind]}"
        for (label, data, kind), seeds in found.items()
    ]


def num_failed(rows: Iterable[Row]) -> int:
    """Count the finished trials whose error is meaningless for their design."""
    return sum(
        row.figures is not None and any(kind in row.figures.problems for kind in FAILURES)
        for row in rows
    )


def _seeds(seeds: list[int]) -> str:
    return f"{'seed' if len(seeds) == 1 else 'seeds'} {', '.join(map(str, sorted(seeds)))}"
