from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from resnext.data.augment.config import AugmentConfig
from resnext.data.loading.config import LoaderConfig, TrainLoaderConfig
from resnext.data.random import epoch_order
from resnext.data.signals.augment import SignalAugmenter
from resnext.data.signals.augment_config import SignalAugmentConfig
from resnext.data.signals.loaders import (
    SignalEvalLoader,
    SignalTrainLoader,
    normalise_signals,
)
from resnext.data.signals.split import SignalSplit
from resnext.errors import ConfigError
from resnext.model.signal import SignalInput

CPU = torch.device("cpu")
EVERYTHING = SignalAugmentConfig(crop=0.5, shift=0.2, scale=0.3, jitter=0.2, mask=0.3, flip=True)
TURNS = SignalAugmentConfig(shift=0.2, scale=0.3, jitter=0.2, mask=0.3, flip=True, rotate=True)
SERIES = SignalInput(kind="series", size=16, mean=(1.0, -1.0), std=(2.0, 0.5))
VOLUME = SignalInput(kind="volume", size=4, mean=(0.5,), std=(0.25,))


def _split(signal: SignalInput, num: int = 30) -> SignalSplit:
    shape = (num, signal.in_channels, *(signal.size,) * signal.ndim)
    values = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    return SignalSplit(values, torch.arange(num) % 3, torch.arange(num), "x.ts")


def _loader(
    signal: SignalInput,
    augment: SignalAugmentConfig,
    *,
    num: int = 30,
    batch_size: int = 8,
    rank: int = 0,
    world_size: int = 1,
    mixup: float = 0.0,
) -> SignalTrainLoader:
    config = TrainLoaderConfig(
        augment=AugmentConfig(mixup=mixup),
        seed=3,
        batch_size=batch_size,
        device=CPU,
        rank=rank,
        world_size=world_size,
    )
    return SignalTrainLoader(_split(signal, num), signal, augment, config)


def test_values_are_normalised_by_channel_and_gaps_become_zero() -> None:
    values = torch.tensor([[[1.0, 5.0], [0.0, float("nan")]]])
    signal = SERIES.replace(size=2)
    found = normalise_signals(values, signal)
    torch.testing.assert_close(found, torch.tensor([[[0.0, 2.0], [2.0, 0.0]]]))


def test_bytes_are_read_as_parts_of_255() -> None:
    found = normalise_signals(torch.full((1, 1, 4, 4, 4), 51, dtype=torch.uint8), VOLUME)
    torch.testing.assert_close(found, torch.full((1, 1, 4, 4, 4), (0.2 - 0.5) / 0.25))


@settings(max_examples=25, deadline=None)
@given(
    num=st.integers(8, 60),
    batch_size=st.integers(8, 30),
    world_size=st.integers(1, 2),
    epoch=st.integers(0, 5),
    mixup=st.sampled_from([0.0, 0.4]),
)
def test_processes_together_get_the_batches_of_one(
    num: int, batch_size: int, world_size: int, epoch: int, mixup: float
) -> None:
    whole = list(
        _loader(SERIES, EVERYTHING, num=num, batch_size=batch_size, mixup=mixup).epoch(epoch)
    )
    assert torch.equal(torch.cat([batch.indices_b for batch in whole]), epoch_order(num, 3, epoch))
    shares = [
        list(
            _loader(
                SERIES,
                EVERYTHING,
                num=num,
                batch_size=batch_size,
                rank=rank,
                world_size=world_size,
                mixup=mixup,
            ).epoch(epoch)
        )
        for rank in range(world_size)
    ]
    for batch, *parts in zip(whole, *shares, strict=True):
        assert torch.equal(batch.images_bchw, torch.cat([part.images_bchw for part in parts]))
        assert torch.equal(batch.targets_b, torch.cat([part.targets_b for part in parts]))
        assert all(part.global_size == len(batch.targets_b) for part in parts)
        if mixup:
            kept = [part.kept_b for part in parts if part.kept_b is not None]
            assert batch.kept_b is not None
            assert torch.equal(batch.kept_b, torch.cat(kept))


@pytest.mark.parametrize(("signal", "augment"), [(SERIES, EVERYTHING), (VOLUME, TURNS)])
def test_a_resumed_epoch_gives_the_same_bits_and_another_epoch_others(
    signal: SignalInput, augment: SignalAugmentConfig
) -> None:
    loader = _loader(signal, augment)
    whole, rest = list(loader.epoch(2)), list(_loader(signal, augment).epoch(2, first_step=2))
    for batch, again in zip(whole[2:], rest, strict=True):
        assert torch.equal(batch.images_bchw, again.images_bchw)
    other: dict[int, torch.Tensor] = {}
    for batch in loader.epoch(3):
        other |= dict(zip(batch.indices_b.tolist(), batch.images_bchw, strict=True))
    first = whole[0]
    for index, values in zip(first.indices_b.tolist(), first.images_bchw, strict=True):
        assert not torch.equal(other[index], values)


def test_nothing_is_varied_by_default() -> None:
    split = _split(SERIES)
    for batch in _loader(SERIES, SignalAugmentConfig()).epoch(0):
        expected = normalise_signals(split.values(batch.indices_b), SERIES)
        assert torch.equal(batch.images_bchw, expected)


def test_a_rotation_keeps_the_neighbours_and_the_handedness() -> None:
    """A corner with three different edges turns like a hand: 24 positions, never its mirror."""
    volume = torch.zeros(1, 1, 4, 4, 4)
    volume[0, 0, 0, 0, 0] = 4
    volume[0, 0, 3, 0, 0], volume[0, 0, 0, 3, 0], volume[0, 0, 0, 0, 3] = 1, 2, 3
    augmenter = SignalAugmenter(SignalAugmentConfig(rotate=True), VOLUME, seed=0)
    turned = augmenter(volume.expand(400, -1, -1, -1, -1), torch.arange(400), 0)
    positions, hands = set(), set()
    for one in turned[:, 0]:
        corner, *ends = ((one == value).nonzero()[0] for value in (4, 1, 2, 3))
        edges = torch.stack([(end - corner).double() / 3 for end in ends])
        positions.add(tuple(edges.flatten().tolist()))
        hands.add(round(float(torch.linalg.det(edges))))
    assert len(positions) == 24
    assert hands == {1}


def test_flips_and_rotations_reach_all_48_positions_of_a_cube() -> None:
    volume = torch.arange(64.0).view(1, 1, 4, 4, 4)
    augment = SignalAugmentConfig(rotate=True, flip=True)
    turned = SignalAugmenter(augment, VOLUME, 0)(
        volume.expand(900, -1, -1, -1, -1), torch.arange(900), 0
    )
    assert len({tuple(one.flatten().tolist()) for one in turned}) == 48


def test_a_shifted_series_repeats_its_edge() -> None:
    series = torch.arange(16.0).view(1, 1, 16).expand(50, 1, 16)
    signal = SERIES.replace(mean=(0.0,), std=(1.0,))
    moved = SignalAugmenter(SignalAugmentConfig(shift=0.25), signal, 0)(series, torch.arange(50), 0)
    starts = set()
    for row in moved[:, 0]:
        by = int((row - torch.arange(16)).round()[8])
        starts.add(by)
        torch.testing.assert_close(row, (torch.arange(16.0) + by).clamp(0, 15))
    assert starts == set(range(-4, 5))


def test_a_cropped_window_of_a_line_is_a_line() -> None:
    line = torch.linspace(0, 1, 16).view(1, 1, 16).expand(50, 1, 16)
    signal = SERIES.replace(mean=(0.0,), std=(1.0,))
    found = SignalAugmenter(SignalAugmentConfig(crop=0.5), signal, 0)(line, torch.arange(50), 0)
    slopes = found.diff(dim=2)
    torch.testing.assert_close(slopes, slopes[:, :, :1].expand_as(slopes), atol=1e-5, rtol=0)
    shares = slopes[:, 0, 0] * 15
    assert 0.5 <= float(shares.min()) < 0.6
    assert 0.9 < float(shares.max()) <= 1.0


def test_a_mask_covers_one_window_of_at_most_its_share() -> None:
    ones = torch.ones(60, 2, 16)
    found = SignalAugmenter(SignalAugmentConfig(mask=0.5), SERIES, 0)(ones, torch.arange(60), 0)
    lengths = (found[:, 0] == 0).sum(1)
    assert 6 <= int(lengths.max()) <= 8
    assert torch.equal(found[:, 0], found[:, 1])
    for row in found[:, 0]:
        assert int((row.diff() != 0).sum()) <= 2


def test_noise_and_factors_have_the_strength_that_was_asked_for() -> None:
    zeros, ones = torch.zeros(400, 2, 16), torch.ones(400, 2, 16)
    jitter = SignalAugmenter(SignalAugmentConfig(jitter=0.5), SERIES, 0)(
        zeros, torch.arange(400), 0
    )
    assert float(jitter.std()) == pytest.approx(0.5, rel=0.05)
    scaled = SignalAugmenter(SignalAugmentConfig(scale=0.1), SERIES, 0)(ones, torch.arange(400), 0)
    assert float(scaled[:, :, 0].std()) == pytest.approx(0.1, rel=0.1)
    assert torch.equal(scaled, scaled[:, :, :1].expand_as(scaled))


def test_settings_for_other_signals_or_images_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"signal_augment\.crop=0\.5 is for series"):
        SignalAugmenter(EVERYTHING, VOLUME, 0)
    with pytest.raises(ConfigError, match=r"signal_augment\.rotate=true is for volumes"):
        SignalAugmenter(TURNS, SERIES, 0)
    config = TrainLoaderConfig(augment=AugmentConfig(erasing=0.5), seed=0, batch_size=8, device=CPU)
    with pytest.raises(ConfigError, match=r"augment\.erasing=0\.5 varies images"):
        SignalTrainLoader(_split(SERIES), SERIES, SignalAugmentConfig(), config)


@pytest.mark.parametrize("world_size", [1, 2, 3])
def test_evaluation_sees_each_signal_once(world_size: int) -> None:
    split = _split(SERIES, 7)
    seen: list[int] = []
    for rank in range(world_size):
        config = LoaderConfig(batch_size=2, device=CPU, rank=rank, world_size=world_size)
        loader = SignalEvalLoader(split, SERIES, config)
        batches = list(loader)
        assert len(batches) == len(loader)
        for batch in batches:
            seen += batch.indices_b.tolist()
            assert torch.equal(batch.targets_b, split.targets_n[batch.indices_b])
    assert sorted(seen) == list(range(7))


def test_pictures_show_every_kind_of_signal() -> None:
    series = SignalSplit(
        torch.tensor([[[0.0, 1.0, float("nan")]], [[2.0, 2.0, 2.0]]]),
        torch.zeros(2, dtype=torch.int64),
        torch.arange(2),
        "x.ts",
    )
    for split, size in ((series, (288, 192)), (_split(VOLUME, 2), (288, 96))):
        for index in range(2):
            image = split.pictures(3).open(index)
            assert image.size == size
            assert np.asarray(image).std() > 0
    with pytest.raises(ConfigError, match="signals, not images"):
        series.reader(3)
