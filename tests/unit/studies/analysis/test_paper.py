"""Where the paper's figures stand: beside the same network, beside its stand-in, or apart."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_study import made_row, made_study

from resnext.data.config import DataConfig
from resnext.errors import ConfigError
from resnext.recipes.cardinality import table3
from resnext.recipes.studies import STUDIES
from resnext.recipes.study_scale import Choice
from resnext.studies.analysis.paper import counterparts_of, other_paper_figures, own_figures
from resnext.studies.analysis.ranking import paper_agreements
from resnext.studies.analysis.statistics import Measure
from resnext.studies.analysis.table import error_tables
from resnext.studies.records.trial import plan_trials
from resnext.studies.study import PaperResult, Study

SMALL = Choice("small", (DataConfig(name="cifar10"),))


def figure(design: str, data: str, error: float, beside: str = "") -> PaperResult:
    return PaperResult(design=design, data=data, value=error, beside=beside)


def test_figures_of_other_networks_stand_apart() -> None:
    other = figure("ResNet-50", "imagenet", 23.9)
    elsewhere = figure("a", "imagenet", 22.2)
    own = figure("a", "digits", 1.0)
    meant = figure("ResNet-101", "imagenet", 22.0, beside="b")
    study = made_study(paper=(other, elsewhere, own, meant))
    assert other_paper_figures(study) == [other, elsewhere]
    assert own_figures(study, Measure("digits")) == {"a": own}
    assert counterparts_of(study, Measure("digits")) == {"b": (meant,)}
    assert other_paper_figures(table3(Choice())) == []


def test_figures_of_the_same_images_come_before_those_of_others() -> None:
    on_digits, on_cifar = (figure("X", data, 3.0, beside="a") for data in ("digits", "cifar10"))
    study = made_study(paper=(on_digits, on_cifar))
    assert counterparts_of(study, Measure("digits")) == {"a": (on_digits,)}
    assert counterparts_of(study, Measure("photos")) == {"a": (on_digits, on_cifar)}


def test_a_figure_can_only_stand_beside_a_design_of_the_study() -> None:
    with pytest.raises(ConfigError, match="paper: there is no design 'c'; designs are a, b"):
        made_study(paper=(figure("X", "imagenet", 3.0, beside="c"),))


def test_small_table_3_stands_beside_both_depths_of_the_paper() -> None:
    (table,) = error_tables(table3(SMALL), [])
    ((_, cells),) = table.rows
    told = [[p.value for p in cell.counterparts] for cell in cells if cell]
    assert told == [[23.9, 22.0], [23.0, 21.7], [22.6, 21.4], [22.3, 21.3], [22.2, 21.2]]
    assert cells[0] is not None
    assert [p.design for p in cells[0].counterparts] == ["50 layers, 1x64d", "101 layers, 1x64d"]


@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIES)
def test_every_figure_of_the_paper_stands_beside_a_small_design(name: str) -> None:
    data = DataConfig(name="coco", root=Path("cells")) if name == "table8" else DataConfig()
    study = STUDIES[name](Choice("small", (data,)))
    rows = [row for table in error_tables(study, []) for row in table.rows]
    shown = {p.model_dump_json() for _, row in rows for c in row if c for p in c.counterparts}
    assert shown == {p.model_dump_json() for p in study.paper}
    assert other_paper_figures(study) == []


def agreement(study: Study, errors: list[float]) -> list[str]:
    labels = [design.label for design in study.designs]
    rows = [
        made_row(trial, errors[labels.index(trial.design.label)]) for trial in plan_trials(study)
    ]
    return [str(row) for row in paper_agreements(study, rows)]


def test_the_ranking_is_compared_with_the_papers() -> None:
    study = table3(SMALL).replace(seeds=(0,))
    falling, swapped = agreement(study, [9, 8, 7, 6, 5]), agreement(study, [9, 8, 7, 5, 6])
    assert len(falling) == 2  # 50 and 101 layers
    assert falling[0].startswith(
        "5 designs on cifar10 and the paper's on imagenet (50 layers, 1x64d ... 50 layers, "
        "32x4d): Kendall's tau +1.00"
    )
    assert "(101 layers, 1x64d ... 101 layers, 32x4d): Kendall's tau +0.80" in swapped[1]
    paper_scale = table3(Choice()).replace(seeds=(0,))
    own = [p.value for p in paper_scale.paper]
    (same,) = agreement(paper_scale, own)
    assert same.startswith("10 designs on imagenet and the same in the paper: Kendall's tau +1.00")
