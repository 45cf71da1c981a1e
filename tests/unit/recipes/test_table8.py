"""Studies of detectors: Table 8, and the other studies on images with boxes."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnext.api.study_file import open_study
from resnext.complexity.count import count
from resnext.data.config import DataConfig
from resnext.errors import ConfigError
from resnext.model.config import DetectorConfig
from resnext.model.names import name_of, parse_name
from resnext.recipes.study_scale import Choice
from resnext.studies.records.trial import plan_trials
from resnext.studies.study import Study
from resnext.weights.entry_card import named_entry

BOXES = (DataConfig(name="coco", root=Path("cells")),)
SMALL = Choice("small", BOXES)


def detectors(study: Study) -> list[DetectorConfig]:
    found = [d.model for d in study.designs if isinstance(d.model, DetectorConfig)]
    assert len(found) == len(study.designs)
    return found


def test_paper_scale_has_the_paper_s_backbones_detector_sizes_and_figures() -> None:
    study = open_study("table8", Choice())
    backbones = [name_of(model.backbone.replace(num_classes=1000)) for model in detectors(study)]
    assert backbones == ["resnet50", "resnext50_32x4d", "resnet101", "resnext101_32x4d"]
    assert {model.family for model in detectors(study)} == {"faster_rcnn_c4"}
    assert {(m.min_size_px, m.max_size_px, m.frozen_norm) for m in detectors(study)} == {
        (600, 1000, True)
    }
    assert [figure.value for figure in study.paper] == [26.5, 27.5, 29.8, 30.0]
    assert study.settings[0].recipe == "paper"


def test_each_backbone_starts_from_its_own_weights() -> None:
    study = open_study("table8", Choice())
    for trial in plan_trials(study)[: len(study.designs)]:
        entry = named_entry(str(trial.config.weights))
        assert entry is not None
        assert isinstance(trial.config.model, DetectorConfig)
        backbone = trial.config.model.backbone
        named = parse_name(str(trial.config.weights).partition(".")[0])
        assert named.replace(num_classes=0) == backbone
        assert trial.config.freeze_until == 1


def test_small_scale_compares_equal_cost_at_two_depths() -> None:
    study = open_study("table8", SMALL)
    models = detectors(study)
    assert [model.backbone.cardinality for model in models] == [1, 16, 1, 16]
    assert [model.backbone.blocks_per_stage for model in models] == [
        *[(1, 1, 1, 1)] * 2,
        *[(2, 2, 2, 2)] * 2,
    ]
    costs = [count(model.backbone, (3, 160, 160)).parameters for model in models]
    assert costs[1] == pytest.approx(costs[0], rel=0.05)
    assert costs[3] == pytest.approx(costs[2], rel=0.05)
    assert [(pair.better, pair.than) for pair in study.comparisons] == [
        (study.designs[1].label, study.designs[0].label),
        (study.designs[3].label, study.designs[2].label),
    ]
    assert all(trial.config.weights is None for trial in plan_trials(study))


def test_the_size_of_images_reaches_every_design() -> None:
    study = open_study("table8", Choice("small", BOXES, changes=("data.image_size_px=96",)))
    assert {model.min_size_px for model in detectors(study)} == {96}
    assert study.settings[0].data.image_size_px == 96


@pytest.mark.parametrize("name", ["table3", "table4", "cardinality", "residual"])
def test_other_studies_put_detectors_on_their_designs(name: str) -> None:
    study = open_study(name, Choice("small", BOXES, head="faster_rcnn"))
    assert {model.family for model in detectors(study)} == {"faster_rcnn"}
    assert study.settings[0].recipe == "detection"


@pytest.mark.parametrize(
    ("name", "choice", "message"),
    [
        ("table8", Choice("small", (DataConfig(name="digits"),)), "has no boxes; give coco:DIR"),
        ("table8", Choice("small", BOXES, head="unet"), "the data have boxes; accepted are retin"),
        ("table8", Choice("small", BOXES, recipe="fast"), "have one recipe, detection"),
        ("table8", Choice("paper", BOXES, recipe="fast"), "has its own; leave it out"),
        ("table3", Choice("small", (*BOXES, DataConfig(name="digits"))), "make a study of each"),
        ("table3", Choice("small", (DataConfig(name="digits"),), head="retinanet"), "leave it out"),
    ],
)
def test_what_does_not_suit_boxes_is_refused(name: str, choice: Choice, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        open_study(name, choice)
