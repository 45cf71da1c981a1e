"""The page on cardinality beyond photos follows from its stored rows."""

from __future__ import annotations

import csv
import statistics
from collections import defaultdict

import pytest
from scipy import stats
from stored_studies import RESULTS

PAGE = (RESULTS / "central-claim.md").read_text(encoding="utf-8")
SETS = {"digits": "digits", "TREC": "trec"}


def errors_of(file: str) -> dict[str, list[float]]:
    """Return the errors of each design, by seed; the design with one path comes first."""
    found: dict[str, dict[int, float]] = defaultdict(dict)
    with (RESULTS / "central-claim" / f"{file}.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            found[row["design"]][int(row["seed"])] = float(row["top1_error"])
    return {name: [errors[seed] for seed in range(5)] for name, errors in found.items()}


def p_of(file: str) -> dict[str, float]:
    """Return the uncorrected p value of each design against the first."""
    (_, dense), *others = errors_of(file).items()
    return {name: float(stats.ttest_rel(dense, errors).pvalue) for name, errors in others}


def holm(value: float, family: list[float]) -> float:
    ranked = sorted(family)
    return max((len(ranked) - n) * p for n, p in enumerate(ranked) if p <= value)


@pytest.mark.parametrize("name", SETS)
def test_each_row_is_what_the_trials_give(name: str) -> None:
    designs, own = errors_of(SETS[name]), p_of(SETS[name])
    everything = [p for file in SETS.values() for p in p_of(file).values()]
    dense = next(iter(designs.values()))
    for design, errors in designs.items():
        (line,) = [row for row in PAGE.splitlines() if row.startswith(f"| {name} | {design} |")]
        mean = f"{statistics.mean(errors):.2f} ± {statistics.stdev(errors):.2f}"
        assert mean in line
        if design not in own:
            continue
        lower = [one - other for one, other in zip(dense, errors, strict=True)]
        low, high = stats.ttest_1samp(lower, 0.0).confidence_interval(1 - 0.05 / len(own))
        gain = f"{statistics.mean(lower):+.2f} ({low:+.2f} to {high:+.2f})"
        corrected = [holm(own[design], family) for family in (list(own.values()), everything)]
        assert f"{gain} | {corrected[0]:.3f} | {corrected[1]:.3f} |" in line
