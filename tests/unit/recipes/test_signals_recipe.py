from __future__ import annotations

import pytest

from resnext.complexity.count import count
from resnext.data.config import DataConfig
from resnext.recipes.signals import SignalFacts, default_signal_model, signals


@pytest.mark.parametrize(
    ("num_train", "epochs"), [(20, 300), (36, 300), (50, 250), (200, 77), (270, 59), (100_000, 30)]
)
def test_small_sets_get_about_a_thousand_steps(num_train: int, epochs: int) -> None:
    facts = SignalFacts(num_train, 150, 1)
    data = DataConfig(name="series", root="x.ts")
    config = signals(default_signal_model(facts), data, facts)
    assert config.schedule.epochs == epochs
    assert config.keep == "last"


@pytest.mark.parametrize(("size", "ndim"), [(1, 1), (24, 1), (5000, 1), (1, 3), (28, 3), (64, 3)])
def test_the_network_takes_signals_of_any_size(size: int, ndim: int) -> None:
    model = default_signal_model(SignalFacts(100, size, ndim))
    assert model.ndim == ndim
    assert count(model.replace(in_channels=1), size).macs > 0


def test_a_volume_costs_less_than_its_positions_would_at_full_size() -> None:
    model = default_signal_model(SignalFacts(100, 28, 3)).replace(in_channels=1, num_classes=2)
    assert count(model, 28).macs < 1e8


@pytest.mark.parametrize(("num_train", "epochs"), [(100, 250), (2_430, 20), (100_000, 20)])
@pytest.mark.parametrize("ndim", [1, 2])
def test_audio_has_its_own_network_and_augmentation(num_train: int, epochs: int, ndim: int) -> None:
    facts = SignalFacts(num_train, 8_000, ndim, "audio")
    data = DataConfig(name="audio", root="sounds")
    config = signals(default_signal_model(facts), data, facts)
    assert getattr(config.model, "ndim", None) == ndim
    assert config.schedule.epochs == epochs
    assert (config.signal_augment.frequency_mask > 0) == (ndim == 2)
    assert config.signal_augment.speed > 0
