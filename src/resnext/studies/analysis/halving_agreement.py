"""How successive halving would have treated trials that were all fully trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scipy import stats

from resnext.errors import RunError
from resnext.studies.execution.halving import Pruner, rung_epochs
from resnext.studies.records.epoch_log import read_epochs
from resnext.studies.records.results import Row
from resnext.studies.study import Halving
from resnext.tasks.kinds import task_kind

_MIN_TRIALS = 3


@dataclass(frozen=True)
class RungAgreement:
    """How the ranking of all trials at a rung agrees with the final one.

    Attributes:
        epoch: Epoch of the rung.
        tau: Kendall's rank correlation; None if all errors are equal.
        p: p value under independent rankings, two-sided.
        num_reached: Trials that reach this rung under halving.
    """

    epoch: int
    tau: float | None
    p: float | None
    num_reached: int

    def __str__(self) -> str:
        tau = "no ranking" if self.tau is None else f"{self.tau:+.2f}"
        return f"{tau} after epoch {self.epoch} (reached by {self.num_reached} trials)"


@dataclass(frozen=True)
class HalvingAgreement:
    """How halving agrees with full training on one data set.

    Attributes:
        data: Name of the data set.
        num_trials: Fully trained trials.
        rungs: The epochs at which trials are stopped.
        best_survives: Whether halving keeps the trial with the lowest final error.
        error_lost: Lowest final error among the trials it keeps minus the lowest of all, in
            percentage points.
        share_saved: Share of all epochs that it saves.
    """

    data: str
    num_trials: int
    rungs: tuple[RungAgreement, ...]
    best_survives: bool
    error_lost: float
    share_saved: float

    def __str__(self) -> str:
        rungs = "; ".join(str(rung) for rung in self.rungs)
        best = "keeps the best" if self.best_survives else "loses the best"
        return (
            f"{self.data}: replayed over {self.num_trials} finished trials, halving trains "
            f"{1 - self.share_saved:.0%} of the epochs and {best} trial (lowest error "
            f"{self.error_lost:+.2f} points). Rank correlation with the final errors: {rungs}."
        )


def halving_agreement(rows: Sequence[Row], halving: Halving) -> list[HalvingAgreement]:
    """Replay halving over the curves of finished trials, one trial at a time.

    Args:
        rows: Trials of a study, in its order; unfinished trials are left out.
        halving: Settings of the halving.

    Returns:
        One for each data set with at least three trials of equal length.
    """
    curves: dict[str, list[list[float]]] = {}
    for row in rows:
        if row.state == "done":
            errors = _errors(row)
            if errors:  # a run folder may have been tidied away
                curves.setdefault(row.trial.data, []).append(errors)
    return [
        agreement_of_curves(data, given, halving)
        for data, given in curves.items()
        if len(given) >= _MIN_TRIALS and len({len(curve) for curve in given}) == 1
    ]


def _errors(row: Row) -> list[float]:
    try:
        task = row.trial.config.task
        cost = task_kind(task).measure.cost
        return [cost(epoch.value) for epoch in read_epochs(row.run, task)]
    except RunError:
        return []


def agreement_of_curves(
    data: str, curves: Sequence[Sequence[float]], halving: Halving
) -> HalvingAgreement:
    """Replay halving over curves of equal length: the errors of each epoch in percent."""
    num_epochs = len(curves[0])
    pruner = Pruner(halving)
    lengths = [_trained(pruner, str(number), curve) for number, curve in enumerate(curves)]
    final = [curve[-1] for curve in curves]
    survivors = [e for e, length in zip(final, lengths, strict=True) if length == num_epochs]
    rungs = []
    for epoch in rung_epochs(halving, num_epochs):
        tau = stats.kendalltau([curve[epoch - 1] for curve in curves], final)
        is_ranking = tau.statistic == tau.statistic  # NaN where all errors are equal
        rungs.append(
            RungAgreement(
                epoch,
                float(tau.statistic) if is_ranking else None,
                float(tau.pvalue) if is_ranking else None,
                num_reached=sum(length >= epoch for length in lengths),
            )
        )
    lowest = min(survivors, default=float("inf"))
    return HalvingAgreement(
        data,
        len(curves),
        tuple(rungs),
        best_survives=lowest == min(final),
        error_lost=lowest - min(final),
        share_saved=1.0 - sum(lengths) / (num_epochs * len(curves)),
    )


def _trained(pruner: Pruner, key: str, curve: Sequence[float]) -> int:
    """Return how many epochs of each curve halving trains."""
    for epoch, error in enumerate(curve[:-1], start=1):
        if pruner.tell(key, epoch, error):
            return epoch
    return len(curve)
