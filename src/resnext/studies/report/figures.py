"""Selects the plots of a study and their data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import matplotlib.figure

from resnext.drawing import as_svg
from resnext.model.config import ResNeXtConfig, backbone_of
from resnext.studies.analysis.design_time import DesignTime
from resnext.studies.analysis.distribution import groups_of
from resnext.studies.analysis.statistics import (
    Errors,
    Measure,
    errors_of,
    means_of,
    measures_of,
    training_measures_of,
)
from resnext.studies.analysis.verdict import quantity
from resnext.studies.records.results import Row, TrialFigures
from resnext.studies.report import plots
from resnext.studies.report.curves import draw_curve_figures
from resnext.studies.study import Design, Study

# Costs of one family differ by less than this factor, or it is not one of equal cost
_EQUAL_COST = 1.25
_MIN_CARDINALITIES = 3
_MAX_IN_LIST = 40


@dataclass(frozen=True)
class Figure:
    """A figure of the report.

    Attributes:
        caption: What it shows.
        drawing: The picture.
        kind: Used in its file name for a paper, with the name of the data: `cardinality`.
    """

    caption: str
    drawing: matplotlib.figure.Figure
    kind: str

    @property
    def picture(self) -> str:
        """The SVG as a `data:` URL."""
        return as_svg(self.drawing)


def draw_figures(study: Study, rows: Sequence[Row]) -> list[Figure]:
    """Draw the figures of a study, for each of its data sets and tests."""
    costs = {row.design.label: row.figures for row in rows if row.figures}
    found: list[Figure] = []
    for measure in measures_of(study):
        if not errors_of(rows, measure):
            continue
        if study.kind == "distribution":
            found += _distribution(study, rows, measure, costs)
            continue
        found += _comparison(study, rows, measure, costs)
        if not measure.test:
            found += [
                Figure(f"{measure}: {caption}", drawing, f"{measure}-curves-{number}")
                for number, (caption, drawing) in enumerate(
                    draw_curve_figures(study, rows, measure), 1
                )
            ]
    return found


def draw_time_figure(
    study: Study, rows: Sequence[Row], times: Sequence[DesignTime]
) -> Figure | None:
    """Draw the time cost of cardinality, for families of equal cost."""
    costs = {row.design.label: row.figures for row in rows if row.figures}
    by_label = {row.label: row for row in times}
    series = {
        name: [(_cardinality(d), by_label[d.label]) for d in family if d.label in by_label]
        for name, family in _families_of_equal_cost(study, costs).items()
    }
    series = {name: points for name, points in series.items() if len(points) > 1}
    if not series:
        return None
    caption = (
        "time against cardinality at equal cost, relative to the lowest cardinality; bars are "
        "quartiles over the rounds"
    )
    return Figure(caption, plots.draw_times(series), "time")


def _comparison(
    study: Study, rows: Sequence[Row], measure: Measure, costs: Mapping[str, TrialFigures]
) -> list[Figure]:
    """Draw errors against cardinality at equal cost, and against parameters where they differ.

    Designs that share neither are drawn as a list.
    """
    errors, axis = errors_of(rows, measure), plots.axis_of(measure.metric)
    what = quantity(measure.metric)
    families = _families_of_equal_cost(study, costs)
    found = []
    if families:
        found += _against_cardinality(study, rows, measure, families)
    sizes = {label: costs[label].parameters for label in errors}
    num_shown = sum(map(len, families.values()))
    if num_shown < len(errors) and max(sizes.values()) > _EQUAL_COST * min(sizes.values()):
        by_row = _by_row([design for design in study.designs if design.label in errors])
        points = _points(by_row, errors, lambda design: sizes[design.label])
        caption = f"{measure}: {what} against parameters; bars are one standard deviation"
        drawing = plots.draw_errors(points, "parameters", axis)
        found.append(Figure(caption, drawing, f"{measure}-parameters"))
    if not found and len(errors) <= _MAX_IN_LIST:
        means = means_of(errors)
        listed = [means[design.label] for design in study.designs if design.label in means]
        caption = f"{measure}: {what} of each design; bars are one standard deviation"
        found.append(Figure(caption, plots.draw_list(listed, axis), f"{measure}-errors"))
    return found


def _against_cardinality(
    study: Study,
    rows: Sequence[Row],
    measure: Measure,
    families: Mapping[str, Sequence[Design]],
) -> list[Figure]:
    spread = "; bars are one standard deviation"
    axis = plots.axis_of(measure.metric)
    what = f"{measure}: {quantity(measure.metric)} against cardinality at equal cost"
    found = []
    points = _points(families, errors_of(rows, measure), _cardinality)
    if points:
        drawing = plots.draw_errors(points, "cardinality", axis)
        found.append(Figure(what + spread, drawing, f"{measure}-cardinality"))
    paper = {
        p.design: {0: p.value}
        for p in study.paper
        if (p.data, p.test) == (measure.data, measure.test)
    }
    points = _points(families, paper, _cardinality)
    if points:
        caption = f"{measure}: the paper's error against cardinality"
        drawing = plots.draw_errors(points, "cardinality", axis)
        found.append(Figure(caption, drawing, f"{measure}-cardinality-paper"))
    if not measure.test:
        trained = next(m for m in training_measures_of(study) if m.data == measure.data)
        axis = plots.axis_of(trained.metric)
        points = _points(families, errors_of(rows, trained), _cardinality)
        caption = f"{measure}: {quantity(trained.metric)} on the augmented training data{spread}"
        drawing = plots.draw_errors(points, "cardinality", axis)
        found.append(Figure(caption, drawing, f"{measure}-cardinality-training"))
    return found


def _families_of_equal_cost(
    study: Study, costs: Mapping[str, TrialFigures]
) -> dict[str, Sequence[Design]]:
    """Return the table rows that vary cardinality at equal cost."""
    known = [d for d in study.designs if d.label in costs and backbone_of(d.model)]
    found: dict[str, Sequence[Design]] = {}
    for name, family in _by_row(known).items():
        cardinalities = {_cardinality(design) for design in family}
        is_varied = len(cardinalities) == len(family) >= _MIN_CARDINALITIES
        if is_varied and _is_equal([costs[design.label] for design in family]):
            found[name] = family
    return found


def _is_equal(costs: Sequence[TrialFigures]) -> bool:
    """Return whether parameters or multiply-adds are equal, whichever the study keeps equal."""
    return any(
        max(values) <= _EQUAL_COST * min(values)
        for values in ([c.parameters for c in costs], [c.macs for c in costs])
    )


def _by_row(designs: Sequence[Design]) -> dict[str, Sequence[Design]]:
    found: dict[str, list[Design]] = defaultdict(list)
    for design in designs:
        found[design.row].append(design)
    return dict(found)


def _points(
    families: Mapping[str, Sequence[Design]], errors: Errors, x_of: Callable[[Design], float]
) -> dict[str, list[plots.Point]]:
    """Return the points of each family, in increasing x; with one seed, without a spread."""
    means = means_of(errors)
    found = {}
    for name, family in families.items():
        points = [
            (x_of(design), means[design.label].mean, means[design.label].deviation)
            for design in family
            if design.label in means
        ]
        if points:
            found[name] = sorted(points, key=lambda point: point[0])
    return found


def _backbone(design: Design) -> ResNeXtConfig:
    backbone = backbone_of(design.model)
    assert backbone is not None
    return backbone


def _cardinality(design: Design) -> int:
    return _backbone(design).cardinality


def _distribution(
    study: Study, rows: Sequence[Row], measure: Measure, costs: Mapping[str, TrialFigures]
) -> list[Figure]:
    """Draw the distribution of the results, and the results against each sampled setting."""
    groups = groups_of(study, rows, measure)
    axis, what = plots.axis_of(measure.metric), quantity(measure.metric)
    errors = {group.name: group.values for group in groups}
    found = [
        Figure(
            f"{measure}: share of designs with at most this {what}",
            plots.draw_distribution(errors, axis),
            f"{measure}-distribution",
        )
    ]
    measures: dict[str, Callable[[Design], float]] = {
        "cardinality": _cardinality,
        "bottleneck width": lambda design: _backbone(design).bottleneck_width,
        "depth": lambda design: _backbone(design).depth,
        "multiply-adds": lambda design: costs[design.label].macs,
    }
    for name, x_of in measures.items():
        points = {
            group.name: [
                (x_of(study.design(label)), error)
                for label, error in group.errors.items()
                if backbone_of(study.design(label).model)
            ]
            for group in groups
        }
        points = {k: v for k, v in points.items() if v}
        if points:
            caption = f"{measure}: {what} against {name}, one point per design"
            drawing = plots.draw_scatter(points, name, axis)
            found.append(Figure(caption, drawing, f"{measure}-{name}"))
    return found
