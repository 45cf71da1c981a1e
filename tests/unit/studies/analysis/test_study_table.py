from __future__ import annotations

from pathlib import Path

from made_study import made_figures, made_row, made_rows, made_study, paper_table3

from resnext.data.config import ViewConfig
from resnext.recipes.cardinality import table4
from resnext.recipes.state_of_the_art import table5
from resnext.recipes.study_scale import Choice
from resnext.studies.analysis.statistics import Measure
from resnext.studies.analysis.table import error_tables
from resnext.studies.records.trial import plan_trials
from resnext.studies.study import Test


def test_table_3_has_the_papers_rows_columns_and_figures(tmp_path: Path) -> None:
    (table,) = error_tables(*paper_table3(tmp_path))
    assert table.columns == ("1x64d", "2x40d", "4x24d", "8x14d", "32x4d")
    assert [title for title, _ in table.rows] == ["50 layers", "101 layers"]
    papers = [[cell.paper.value for cell in row if cell and cell.paper] for _, row in table.rows]
    assert papers == [[23.9, 23.0, 22.6, 22.3, 22.2], [22.0, 21.7, 21.4, 21.3, 21.2]]


def test_only_the_lowest_mean_is_marked(tmp_path: Path) -> None:
    (table,) = error_tables(*paper_table3(tmp_path))
    cells = [cell for _, row in table.rows for cell in row if cell and cell.mean]
    lowest = min(cells, key=lambda cell: cell.mean.mean if cell.mean else 0)
    assert [cell for cell in cells if cell.is_best] == [lowest]


def test_designs_that_share_a_place_have_rows_of_their_own() -> None:
    study = table4(Choice())
    (table,) = error_tables(study, [])
    assert [title for title, _ in table.rows] == [design.label for design in study.designs]
    assert all(str(cell) == "-" for _, row in table.rows for cell in row)


def test_each_test_has_a_table_with_the_papers_figures() -> None:
    first, second = error_tables(table5(Choice()), [])
    assert (first.measure, second.measure) == (Measure("imagenet"), Measure("imagenet", "320"))
    cells = [row[0] for _, row in second.rows]
    assert [cell.paper.value if cell and cell.paper else None for cell in cells] == [
        None,
        20.1,
        19.1,
    ]


def test_a_cell_tells_mean_spread_and_seeds() -> None:
    study = made_study(seeds=(0, 1, 2))
    (table,) = error_tables(study, made_rows(study, {"a": [7, 8, 9], "b": [5, None, None]}))
    (_, (a,)), (_, (b,)) = table.rows
    assert (str(a), str(b)) == ("8.00 ± 1.00 (3)", "5.00 (1)")


def test_a_cell_knows_the_top_5_and_training_errors() -> None:
    study = made_study(seeds=(0,), tests=(Test(name="48", view=ViewConfig(size_px=48)),))
    trial = plan_trials(study)[0]
    row = made_row(trial, 6.0, figures=made_figures(trial, 6.0, top5_error=1.0))
    validation, test = error_tables(study, [row])
    cell = validation.rows[0][1][0]
    assert cell is not None
    assert cell.top5 is not None
    assert cell.training is not None
    assert (cell.top5.mean, cell.training.mean) == (1.0, 3.0)
    assert test.rows[0][1][0] is not None
    assert test.rows[0][1][0].training is None
