"""The results of paired designs during training, as in the paper's figure 5."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from matplotlib.figure import Figure

from resnext.errors import RunError
from resnext.studies.analysis.statistics import Measure
from resnext.studies.analysis.verdict import quantity
from resnext.studies.records.epoch_log import Epoch, read_epochs
from resnext.studies.records.results import Row
from resnext.studies.report import plots
from resnext.studies.study import Study, claims_of

_MAX_FIGURES, _MAX_CURVES = 4, 4

Curve = list[float]


def draw_curve_figures(
    study: Study, rows: Sequence[Row], measure: Measure
) -> list[tuple[str, Figure]]:
    """Draw the training curves of compared designs; only their logs are read.

    Returns:
        Caption and picture for each design that others are compared with, up to a limit.
    """
    found = []
    for labels in _groups(study)[:_MAX_FIGURES]:
        training: dict[str, Curve] = {}
        validation: dict[str, Curve] = {}
        for label in labels:
            runs = _epochs(rows, label, measure.data)
            if runs:
                if all(e.train_value is not None for run in runs for e in run):
                    training[label] = _mean([[e.train_value or 0.0 for e in run] for run in runs])
                validation[label] = _mean([[e.value for e in run] for run in runs])
        if len(validation) > 1:
            caption = f"{quantity(measure.metric)} during training, mean over the seeds"
            label = plots.axis_of(measure.metric)
            found.append((caption, plots.draw_curves(training, validation, label)))
    return found


def _groups(study: Study) -> list[list[str]]:
    """Return each reference design with the designs compared with it; the extremes if many."""
    groups: dict[str, list[str]] = {}
    for claim in claims_of(study):
        groups.setdefault(claim.than, [claim.than]).append(claim.better)
    return [
        labels if len(labels) <= _MAX_CURVES else [labels[0], labels[-1]]
        for labels in groups.values()
    ]


def _epochs(rows: Sequence[Row], label: str, data: str) -> list[list[Epoch]]:
    """Return the epochs of a design's finished runs that have more than one."""
    runs = [
        _readable_epochs(row)
        for row in rows
        if row.design.label == label and row.trial.data == data and row.figures
    ]
    return [run for run in runs if len(run) > 1]


def _readable_epochs(row: Row) -> list[Epoch]:
    """Return the epochs of a run; of a damaged log, the readable ones."""
    try:
        epochs = read_epochs(row.run, row.trial.config.task)
        trained = [epoch for epoch in epochs if epoch.train_value is not None]
        return trained or epochs
    except RunError:
        return []


def _mean(runs: list[Curve]) -> Curve:
    """Average the runs over the epochs that all of them have."""
    return [fmean(values) for values in zip(*runs, strict=False)]
