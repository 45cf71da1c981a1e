"""Matches the paper's results with ours: of the same or of corresponding networks."""

from __future__ import annotations

from resnext.studies.analysis.statistics import Measure, measures_of
from resnext.studies.study import PaperResult, Study


def own_figures(study: Study, measure: Measure) -> dict[str, PaperResult]:
    """Return the paper's results for the study's own networks and images, by label."""
    labels = {design.label for design in study.designs}
    key = (measure.data, measure.test)
    return {p.design: p for p in study.paper if (p.data, p.test) == key and p.design in labels}


def counterparts_of(study: Study, measure: Measure) -> dict[str, tuple[PaperResult, ...]]:
    """Return the paper's results for the networks that the designs correspond to, by label.

    Results on the same images are preferred to results on others.
    """
    given = [p for p in study.paper if p.beside and p.test == measure.test]
    same = [p for p in given if p.data == measure.data]
    found: dict[str, tuple[PaperResult, ...]] = {}
    for figure in same or given:
        found[figure.beside] = (*found.get(figure.beside, ()), figure)
    return found


def other_paper_figures(study: Study) -> list[PaperResult]:
    """Return the paper's results that match none of ours."""
    shown = [p for measure in measures_of(study) for p in own_figures(study, measure).values()]
    return [p for p in study.paper if not p.beside and p not in shown]
