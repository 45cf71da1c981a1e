from __future__ import annotations

from pathlib import Path

import pytest
from made_study import (
    made_design_space,
    made_row,
    made_rows,
    made_study,
    made_times,
    paper_table3,
    simulated_rows,
    small_table4,
    write_curves,
)

from resnext.data.config import DataConfig
from resnext.model.names import config_from
from resnext.recipes.cardinality import residual, table3
from resnext.recipes.state_of_the_art import figure7
from resnext.recipes.study_scale import Choice
from resnext.studies.analysis.statistics import Measure
from resnext.studies.records.results import Row
from resnext.studies.records.trial import plan_trials
from resnext.studies.report import curves, figures, plots
from resnext.studies.report.figures import draw_figures, draw_time_figure
from resnext.studies.study import Design, Study

DIGITS = (DataConfig(name="digits"),)
SVG = "data:image/svg+xml;base64,"


def captions(study: Study, rows: list[Row]) -> list[str]:
    found = draw_figures(study, rows)
    assert all(figure.picture.startswith(SVG) for figure in found)
    return [figure.caption.partition(";")[0] for figure in found]


def flat_rows(study: Study) -> list[Row]:
    means = {design.label: 8.0 for design in study.designs}
    return simulated_rows(study, means, seed=0, shared=0.1, own=0.1)


@pytest.mark.slow
def test_table_3_is_drawn_against_cardinality_beside_the_papers_curve(tmp_path: Path) -> None:
    assert captions(*paper_table3(tmp_path)) == [
        "imagenet: error against cardinality at equal cost",
        "imagenet: the paper's error against cardinality",
        "imagenet: error on the augmented training data",
        *["imagenet: error during training, mean over the seeds"] * 2,
    ]


@pytest.mark.slow
def test_networks_of_different_size_are_drawn_against_parameters() -> None:
    assert captions(*small_table4()) == [
        "cifar10: error against parameters",
        "fashion-mnist: error against parameters",
    ]


def test_figure_7_is_drawn_against_parameters_as_its_cost_grows_with_cardinality() -> None:
    study = figure7(Choice("small", DIGITS))
    assert captions(study, flat_rows(study)) == ["digits: error against parameters"]


def test_equal_networks_with_and_without_shortcuts_are_listed_one_below_the_other() -> None:
    study = residual(Choice("small", DIGITS))
    assert captions(study, flat_rows(study)) == ["digits: error of each design"]


@pytest.mark.slow
def test_random_designs_are_drawn_as_a_distribution_and_against_what_was_drawn() -> None:
    assert captions(*made_design_space()) == [
        "cifar10: share of designs with at most this error",
        *(
            f"cifar10: error against {name}, one point per design"
            for name in ("cardinality", "bottleneck width", "depth", "multiply-adds")
        ),
    ]


def test_each_data_set_shows_its_own_training_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    study = table3(Choice("small", (*DIGITS, DataConfig(name="cifar10"))))
    error = {"digits": 2.0, "cifar10": 8.0}
    rows = [made_row(trial, error[trial.data]) for trial in plan_trials(study)]
    drawn: list[float] = []

    def note(series: dict[str, list[plots.Point]], *_: str) -> str:
        drawn.append(next(iter(series.values()))[0][1])
        return SVG

    monkeypatch.setattr(plots, "draw_errors", note)
    draw_figures(study, rows)
    assert drawn == [2.0, 1.0, 8.0, 4.0]  # made training errors are half


def test_only_the_logs_of_paired_designs_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, rows = paper_table3(tmp_path)
    read: list[Path] = []

    def note(run: Path, _: str) -> list[dict[str, object]]:
        read.append(run)
        return []

    monkeypatch.setattr(curves, "read_epochs", note)
    draw_figures(study, rows)
    ends = {f"{depth} layers, {c}" for depth in (50, 101) for c in ("1x64d", "32x4d")}
    expected = {row.run for row in rows if row.design.label in ends and row.figures}
    assert set(read) == expected
    assert len(read) == len(expected)


def test_curves_are_means_over_the_seeds_as_far_as_all_of_them_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = made_study(seeds=(0, 1))
    rows = [
        made_row(row.trial, row.value(), tmp_path)
        for row in made_rows(study, {"a": [4, 6], "b": [8, 8]})
    ]
    for row in rows:
        write_curves(row)
    longer = rows[0].run / "metrics.jsonl"
    longer.write_text(longer.read_text() + '{"kind": "epoch", "epoch": 99, "step": 1}\n')
    drawn: list[dict[str, list[float]]] = []

    def note(*given: dict[str, list[float]]) -> str:
        drawn.extend(given[:2])
        return SVG

    monkeypatch.setattr(plots, "draw_curves", note)
    curves.draw_curve_figures(study, rows, Measure("digits"))
    training, validation = drawn
    assert (validation["a"][-1], training["a"][-1]) == (5.0, 2.5)
    assert len(validation["a"]) == study.settings[0].schedule.epochs


def test_time_is_drawn_for_families_of_equal_cost_only() -> None:
    study = table3(Choice("small", DIGITS))
    assert draw_time_figure(study, flat_rows(study), made_times(study)) is not None
    assert draw_time_figure(study, flat_rows(study), []) is None
    growing = figure7(Choice("small", DIGITS))
    assert draw_time_figure(growing, flat_rows(growing), made_times(growing)) is None


def test_nothing_is_drawn_where_nothing_has_finished() -> None:
    study = made_study()
    assert (
        figures.draw_figures(study, [made_row(trial, None) for trial in plan_trials(study)]) == []
    )


def test_a_distribution_of_baselines_has_no_cardinality_to_draw() -> None:
    designs = tuple(
        Design(label=name, model=config_from(name)) for name in ("vgg16_bn", "vgg19_bn")
    )
    study = made_study(designs=designs, kind="distribution", seeds=(0,))
    rows = [made_row(trial, 5.0) for trial in plan_trials(study)]
    assert captions(study, rows) == ["digits: share of designs with at most this error"]
