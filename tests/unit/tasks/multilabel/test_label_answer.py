"""The answer of a network of several labels, in every form."""

import numpy as np
import pytest

from resnext.model.card import ModelCard
from resnext.tasks.multilabel.answer import LabelAnswer, LabelsSchema

NAMES = ("red", "round", "ripe")
LOGITS_K = np.log(np.array([0.8, 0.3, 0.6]) / np.array([0.2, 0.7, 0.4])).astype(np.float32)


def test_a_label_applies_from_its_threshold_on() -> None:
    card = ModelCard(task="multilabel", thresholds=(0.9, 0.2, 0.55))
    answer = LabelAnswer.read(LOGITS_K, NAMES, card, top=2)
    assert [score.name for score in answer.given] == ["ripe", "round"]
    assert [score.name for score in answer.ranked] == ["red", "ripe"]
    assert LabelsSchema(**answer.as_dict()).labels[0].label == "ripe"
    assert answer.as_dict()["probabilities"] == pytest.approx({"red": 0.8, "ripe": 0.6})
    assert [row[1:] for row in answer.csv_rows()] == [
        ("ripe", pytest.approx(0.6), "yes"),
        ("round", pytest.approx(0.3), "yes"),
        ("red", pytest.approx(0.8), "no"),
    ]
    assert answer.table_cells() == ("ripe, round", "60.0 %, 30.0 %", "red 80.0 %")


def test_without_thresholds_one_half_decides_and_there_may_be_none() -> None:
    answer = LabelAnswer.read(LOGITS_K, NAMES, ModelCard(task="multilabel"), top=3)
    assert [score.name for score in answer.given] == ["red", "ripe"]
    none = LabelAnswer.read(np.full(3, -1e4, np.float32), NAMES, ModelCard(), top=1)
    assert none.as_dict() == {"labels": [], "probabilities": {"red": 0.0}}
    assert none.table_cells()[0] == "none"
    assert LabelAnswer.nothing() == {"labels": [], "probabilities": {}}
