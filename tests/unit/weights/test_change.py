"""What is changed about weights is changed in their card too, so that their file opens again."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig
from resnext.model.create import create_model
from resnext.model.signal import SignalInput
from resnext.weights import change
from resnext.weights.file import Weights
from resnext.weights.own_file import read_weights
from resnext.weights.write import write

SMALL = ResNeXtConfig(
    stem="cifar", blocks_per_stage=(1, 1), cardinality=2, bottleneck_width=2, num_classes=3
)
CLASSES = ("a", "b", "c")
SERIES = SignalInput(kind="series", size=50, mean=(0.0, 1.0), std=(1.0, 2.0))


def _series() -> Weights:
    config = SMALL.replace(ndim=1, in_channels=2)
    card = ModelCard(classes=CLASSES, signal=SERIES, image_size_px=50, mean=(0.5, 0.5))
    return Weights("series", config, create_model(config).state_dict(), card)


def _card_in_file(weights: Weights, folder: Path) -> ModelCard:
    write(weights, folder / "changed.safetensors", "safetensors")
    return read_weights(folder / "changed.safetensors")[2]


@pytest.mark.parametrize("num_classes", [3, 4])
def test_a_new_head_has_no_thresholds_of_the_old_labels(num_classes: int, tmp_path: Path) -> None:
    card = ModelCard(task="multilabel", classes=CLASSES, thresholds=(0.1, 0.2, 0.3))
    weights = Weights("labels", SMALL, create_model(SMALL).state_dict(), card)
    found = _card_in_file(change.classes(weights, num_classes, None), tmp_path)
    assert (found.task, found.classes, found.thresholds) == ("multilabel", (), ())


def test_other_channels_are_those_of_the_signals_too(tmp_path: Path) -> None:
    for rule, mean, std in (
        ("mean", (0.5, 0.5, 0.5), (1.5, 1.5, 1.5)),
        ("repeat", (0.0, 1.0, 0.0), (1.0, 2.0, 1.0)),
    ):
        changed = change.in_channels(_series(), 3, rule)  # type: ignore[arg-type]  # both are
        signal = _card_in_file(changed, tmp_path).signal
        assert signal == SERIES.replace(mean=mean, std=std)


def test_a_network_for_series_becomes_one_for_images_with_their_usual_card(tmp_path: Path) -> None:
    card = _card_in_file(change.dimensions(_series(), 2, "mean"), tmp_path)
    assert (card.signal, card.classes) == (None, CLASSES)
    assert (card.image_size_px, card.mean, card.std) == (32, (0.5, 0.5), (0.5, 0.5))
    assert change.dimensions(_series(), 1, "mean").card.signal == SERIES
