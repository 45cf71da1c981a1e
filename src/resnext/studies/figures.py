"""Which plots a study gets, and the numbers in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from statistics import fmean

from resnext.model.config import ResNeXtConfig
from resnext.studies import plots
from resnext.studies.results import Row
from resnext.studies.statistics import Errors, errors_of, summarise
from resnext.studies.study import Design, Study, data_label
from resnext.studies.timing import DesignTime
from resnext.training.metrics_log import read_metrics

_MOST_CURVES = 6

Figure = tuple[str, str]
"""Caption and picture."""


def draw_figures(study: Study, rows: Sequence[Row]) -> list[Figure]:
    """Draw what suits a study, for each of its data sets."""
    found: list[Figure] = []
    for name in (data_label(settings.data) for settings in study.settings):
        errors = errors_of(rows, name)
        if not errors:
            continue
        draw = _distribution if study.kind == "distribution" else _comparison
        found += [(f"{name}: {caption}", picture) for caption, picture in draw(study, rows, errors)]
        curves = _curves(study, rows, name)
        if curves is not None and study.kind == "table":
            found.append((f"{name}: errors during training, means over the seeds", curves))
    return found


def draw_time_figure(study: Study, times: Sequence[DesignTime]) -> str | None:
    """Draw what cardinality costs in time, where the designs' cardinalities differ."""
    cardinality = {
        design.label: design.model.cardinality
        for design in study.designs
        if isinstance(design.model, ResNeXtConfig)
    }
    known = [row for row in times if row.label in cardinality]
    if len({cardinality[row.label] for row in known}) < 2:
        return None
    return plots.draw_times(known, cardinality)


def _comparison(study: Study, rows: Sequence[Row], errors: Errors) -> list[Figure]:
    """Draw errors against cardinality, where a row of the table varies it, and parameters."""
    parameters = {row.design.label: row.figures.parameters for row in rows if row.figures}
    found = []
    by_cardinality = _series(study, errors, _cardinality)
    varied = {
        name: points
        for name, points in by_cardinality.items()
        if len({x for x, _, _ in points}) == len(points) > 2
    }
    if varied:
        caption = "error against cardinality; bars are one standard deviation"
        found.append((caption, plots.draw_errors(varied, "cardinality")))
        training = _series(study, errors_of(rows, rows[0].trial.data, training=True), _cardinality)
        kept = {name: points for name, points in training.items() if name in varied}
        caption = "error on the training images, as they were varied"
        found.append((caption, plots.draw_errors(kept, "cardinality")))
    else:
        by_parameters = _series(study, errors, lambda design: parameters[design.label])
        caption = "error against parameters; bars are one standard deviation"
        found.append((caption, plots.draw_errors(by_parameters, "parameters")))
    return found


def _series(
    study: Study, errors: Errors, x_of: Callable[[Design], float]
) -> dict[str, list[tuple[float, float, float]]]:
    """Return the points of each row of the table, in rising x."""
    found: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    for design in study.designs:
        if design.label in errors and isinstance(design.model, ResNeXtConfig):
            mean = summarise(design.label, errors[design.label].values())
            found[design.row or design.label].append(
                (x_of(design), mean.mean, mean.deviation or 0.0)
            )
    return {name: sorted(points) for name, points in found.items()}


def _cardinality(design: Design) -> float:
    assert isinstance(design.model, ResNeXtConfig)
    return design.model.cardinality


def _distribution(study: Study, rows: Sequence[Row], errors: Errors) -> list[Figure]:
    """Draw the distribution of the errors, and the errors against what was drawn."""
    figures = {row.design.label: row.figures for row in rows if row.figures}
    designs = [design for design in study.designs if design.label in errors]
    groups: dict[str, list[float]] = defaultdict(list)
    for design in designs:
        groups[design.row or "all designs"].append(fmean(errors[design.label].values()))
    found = [("distribution of the errors", plots.draw_distribution(groups))]
    measures: dict[str, Callable[[Design], float]] = {
        "cardinality": _cardinality,
        "bottleneck width": lambda design: getattr(design.model, "bottleneck_width", 0),
        "depth": lambda design: getattr(design.model, "depth", 0),
        "multiply-adds": lambda design: getattr(figures[design.label], "macs", 0),
    }
    for name, measure in measures.items():
        points: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for design in designs:
            mean = fmean(errors[design.label].values())
            points[design.row or "all designs"].append((measure(design), mean))
        picture = plots.draw_scatter(points, name, is_log=name != "depth")
        found.append((f"error against {name}, a point a design", picture))
    return found


def _curves(study: Study, rows: Sequence[Row], data: str) -> str | None:
    """Draw the curves of the designs that are compared with each other, as far as they fit."""
    labels = list(
        dict.fromkeys(
            label
            for comparison in study.comparisons
            for label in (comparison.than, comparison.better)
        )
    )
    if len(labels) > _MOST_CURVES:  # the ends of the family say most
        labels = [labels[0], labels[-1]]
    training, validation = {}, {}
    for label in labels:
        runs = [
            [line for line in read_metrics(row.run) if line["kind"] == "epoch"]
            for row in rows
            if row.design.label == label and row.trial.data == data and row.figures
        ]
        if runs and all(runs):
            training[label] = _mean_curve(runs, "train_top1_error")
            validation[label] = _mean_curve(runs, "top1_error")
    return plots.draw_curves(training, validation) if validation else None


def _mean_curve(runs: list[list[dict[str, float]]], key: str) -> list[float]:
    return [fmean(line[key] for line in lines) for lines in zip(*runs, strict=False)]
