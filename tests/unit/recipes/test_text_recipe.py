from __future__ import annotations

from pathlib import Path

import pytest

from resnext.data.config import DataConfig
from resnext.model.config import BaselineConfig, ResNeXtConfig
from resnext.recipes.text import default_text_model, for_text, text

DATA = DataConfig(name="text", root=Path("questions"))


@pytest.mark.parametrize("unit", ["word", "character"])
def test_the_default_network_has_an_embedding_and_dropout(unit: str) -> None:
    model = default_text_model(unit)  # type: ignore[arg-type]
    assert (model.ndim, model.in_channels) == (1, 1)
    assert model.embedding is not None
    assert model.dropout > 0
    assert model.cardinality > 1


def test_any_residual_network_becomes_one_for_text_and_others_stay() -> None:
    model = for_text(ResNeXtConfig(), "word")
    assert isinstance(model, ResNeXtConfig)
    assert model.embedding is not None
    assert model.blocks_per_stage == ResNeXtConfig().blocks_per_stage
    vgg = BaselineConfig(family="vgg16_bn")
    assert for_text(vgg, "word") == vgg


def test_small_sets_get_more_epochs_within_limits() -> None:
    model = default_text_model("word")
    epochs = [text(model, DATA, num).schedule.epochs for num in (0, 50, 5_000, 5_000_000)]
    assert epochs == sorted(epochs, reverse=True)
    assert epochs[0] == epochs[1]
    assert epochs[-1] >= 1


def test_nothing_is_chosen_on_validation() -> None:
    config = text(default_text_model("word"), DATA, 5_000)
    assert config.keep == "last"
    assert config.early_stopping is None
    assert config.signal_augment.word_dropout > 0
