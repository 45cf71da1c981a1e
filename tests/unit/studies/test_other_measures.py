"""A study of a task whose measure is better when higher: mIoU."""

import csv
import io
import json
from pathlib import Path

import pytest
from made_study import made_figures, made_row, made_study

from resnext.data.config import DataConfig
from resnext.errors import ConfigError
from resnext.model.choices import Head
from resnext.model.config import SegmenterConfig
from resnext.recipes.studies import STUDIES
from resnext.recipes.study_heads import with_heads
from resnext.recipes.study_scale import Choice
from resnext.runs.config import TrainConfig
from resnext.studies.analysis.answer import describe_answer
from resnext.studies.analysis.differences import compare, compare_training
from resnext.studies.analysis.distribution import compare_groups
from resnext.studies.analysis.export_rows import csv_text
from resnext.studies.analysis.statistics import measures_of
from resnext.studies.analysis.table import error_tables
from resnext.studies.analysis.verdict import verdict
from resnext.studies.records.epoch_log import epochs_of
from resnext.studies.records.results import Row, TrialFigures
from resnext.studies.records.trial import plan_trials
from resnext.studies.report.figures import draw_figures
from resnext.studies.study import Comparison, Study

MASKS = TrainConfig(task="segmentation")
VALUES = {"a": (60.0, 61.0, 62.5), "b": (50.0, 52.0, 51.0)}


def masks_study(**changes: object) -> Study:
    return made_study(
        ("a", "b"),
        settings=(MASKS,),
        comparisons=(Comparison(better="a", than="b"),),
        **changes,
    )


def rows_of(study: Study) -> list[Row]:
    rows = []
    for trial in plan_trials(study):
        value = VALUES[trial.design.label][study.seeds.index(trial.seed)]
        figures = made_figures(trial, value, measure="mean_iou", train_value=100 - value)
        rows.append(made_row(trial, value, figures=figures))
    return rows


def test_the_higher_mean_is_better() -> None:
    study = masks_study()
    rows = rows_of(study)
    (difference,) = compare(study, rows)
    assert difference.mean == pytest.approx(sum(VALUES["a"]) / 3 - sum(VALUES["b"]) / 3)
    assert difference.is_resolved
    assert verdict(difference).startswith("Resolved: “a” has a higher mIoU than “b”")
    (table,) = error_tables(study, rows)
    cells = [cell for _, row in table.rows for cell in row if cell]
    assert [cell.is_best for cell in cells] == [True, False]
    answer = describe_answer(study, rows, [difference], compare_groups(study, rows))
    assert "points more mIoU than “b”" in answer


def test_a_refuted_claim_is_stated_in_the_measures_direction() -> None:
    study = masks_study().replace(comparisons=(Comparison(better="b", than="a"),))
    (difference,) = compare(study, rows_of(study))
    assert verdict(difference).startswith("Resolved the other way: “b” has a lower mIoU than “a”")


def test_training_is_compared_by_the_tasks_training_measure() -> None:
    study = masks_study()
    (difference,) = compare_training(study, rows_of(study))
    assert difference.measure.metric.key == "train_pixel_error"
    assert difference.mean > 0  # fewer wrong pixels
    assert "has a lower share of wrong pixels" in verdict(difference)


def test_rows_and_plots_name_the_measure() -> None:
    study = masks_study()
    rows = rows_of(study)
    first = next(csv.DictReader(io.StringIO(csv_text(study, rows))))
    assert (first["mean_iou"], first["best_mean_iou"]) == ("60.0", "60.0")
    assert "top1_error" not in first
    labels = {axes.get_xlabel() for f in draw_figures(study, rows) for axes in f.drawing.axes}
    assert "mIoU, %" in labels


def test_epochs_are_read_by_the_tasks_measure() -> None:
    line = {"kind": "epoch", "epoch": 1, "mean_iou": 40.0, "train_pixel_error": 30.0}
    (epoch,) = epochs_of([line, {"kind": "epoch", "epoch": 2, "top1_error": 3.0}], "segmentation")
    assert (epoch.value, epoch.train_value) == (40.0, 30.0)


def test_results_of_earlier_versions_are_read() -> None:
    sizes = {"parameters": 5, "macs": 6, "activations": 7, "epochs": 2, "seconds": 1.0}
    errors = {"top1_error": 5.0, "train_top1_error": 4.0, "best_top1_error": 3.0}
    text = json.dumps({**errors, **sizes, "loss": 0.1, "train_loss": 0.2})
    found = TrialFigures.model_validate_json(text)
    assert (found.measure, found.value, found.train_value, found.best_value) == (
        *("top1_error", 5.0, 4.0, 3.0),
    )
    assert TrialFigures.model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize("head", [None, "fcn"])
def test_named_studies_put_heads_on_their_designs(head: Head | None, tmp_path: Path) -> None:
    choice = Choice("small", (DataConfig(name="masks", root=tmp_path),), head=head)
    study = with_heads(STUDIES["table3"](choice), choice.head)
    assert {type(design.model) for design in study.designs} == {SegmenterConfig}
    assert {design.model.family for design in study.designs} == {head or "deeplabv3"}
    assert measures_of(study)[0].metric.key == "mean_iou"
    assert study.settings[0].recipe == "segmentation"


def test_a_head_without_masks_and_mixed_data_are_refused(tmp_path: Path) -> None:
    digits, masks = DataConfig(name="digits"), DataConfig(name="masks", root=tmp_path)
    with pytest.raises(ConfigError, match="have classes; leave it out"):
        with_heads(STUDIES["table3"](Choice("small", (digits,))), "fcn")
    with pytest.raises(ConfigError, match="some data sets have masks"):
        with_heads(STUDIES["table3"](Choice("small", (digits, masks))), None)
    with pytest.raises(ConfigError, match="one recipe, segmentation"):
        STUDIES["table3"](Choice("small", (masks,), recipe="fast"))
