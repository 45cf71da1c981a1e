from __future__ import annotations

from typing import Any

import pytest
import torch
from made_audio import tone

from resnext.data.signals.audio_augment import WaveAugmenter, mask_bands
from resnext.data.signals.augment import SignalAugmenter
from resnext.data.signals.augment_config import SignalAugmentConfig
from resnext.errors import ConfigError
from resnext.model.signal import SignalInput
from resnext.model.sound import SoundInput

ALL = SignalAugmentConfig(shift=0.1, speed=0.2, gain_db=6.0, noise=0.1)
SOUND = SoundInput(rate_hz=8_000, window=200, hop=80, level="recorded")
SIGNAL = SignalInput(kind="audio", size=100, fit="pad", mean=(0.0,), std=(1.0,), sound=SOUND)
INDICES = torch.arange(64)


def _waves(length: int, stored: int = 300, num: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
    """Return clips that count from 1, in the middle of silence, and their lengths."""
    waves = torch.zeros(num, 1, stored)
    start = (stored - length) // 2
    waves[..., start : start + length] = torch.arange(1.0, length + 1)
    return waves, torch.full((num,), length)


def _vary(length: int, epoch: int = 0, size: int = 100, **settings: Any) -> torch.Tensor:
    waves, lengths = _waves(length)
    vary = WaveAugmenter(SignalAugmentConfig(**settings), SIGNAL.replace(size=size), lengths, 3)
    return vary(waves, INDICES, epoch)


def test_a_longer_clip_gives_any_part_of_itself_and_nothing_else() -> None:
    found = _vary(250)[:, 0]
    starts = found[:, 0]
    assert torch.equal(found, starts[:, None] + torch.arange(100))
    assert starts.min() < 20
    assert starts.max() > 130
    assert starts.min() >= 1
    assert starts.max() <= 151


def test_a_shorter_clip_is_whole_and_at_any_place_in_silence() -> None:
    found = _vary(40)[:, 0]
    assert torch.equal(found.sum(dim=1), torch.full((64,), 40 * 41 / 2.0))
    places = found.argmax(dim=1) - 39
    assert places.min() < 8
    assert places.max() > 52


def test_a_shift_moves_it_beyond_the_ends() -> None:
    found = _vary(100, shift=0.2)[:, 0]
    zeros = (found == 0).sum(dim=1)
    assert 10 < zeros.max() <= 20
    whole = _vary(100)[:, 0]
    assert torch.equal(whole, torch.arange(1.0, 101).expand(64, 100))


def test_speed_changes_the_number_of_periods() -> None:
    wave = torch.from_numpy(tone(400.0, 0.5)).float().expand(64, 1, -1)
    vary = WaveAugmenter(
        SignalAugmentConfig(speed=0.2),
        SIGNAL.replace(size=2_000),
        torch.full((64,), wave.shape[-1]),
        3,
    )
    found = torch.fft.rfft(vary(wave, INDICES, 0)[:, 0]).abs().argmax(dim=1) * 8_000 / 2_000
    assert 320 <= found.min() < 350
    assert 450 < found.max() <= 480


def test_gain_stays_within_its_decibels() -> None:
    ratio = (_vary(100, gain_db=6.0) / _vary(100)).flatten(1)
    torch.testing.assert_close(ratio, ratio[:, :1].expand_as(ratio))
    decibels = 20 * ratio[:, 0].log10()
    assert -6.001 < decibels.min() < -5
    assert 5 < decibels.max() < 6.001


def test_noise_is_relative_to_the_level_of_the_clip() -> None:
    waves = torch.ones(64, 1, 4_000) * torch.logspace(-3, 0, 64)[:, None, None]
    vary = WaveAugmenter(
        SignalAugmentConfig(noise=0.1), SIGNAL.replace(size=4_000), torch.full((64,), 4_000), 3
    )
    noise = (vary(waves, INDICES, 0) - waves)[:, 0]
    share = noise.std(dim=1) / waves[:, 0, 0]
    assert share.max() < 0.105
    assert share.max() > 0.08
    assert share.min() < 0.02
    shares = noise / noise.std(dim=1, keepdim=True)
    assert (shares @ shares.T / 4_000 - torch.eye(64)).abs().max() < 0.15  # other noise for each


def test_a_clip_varies_the_same_in_any_batch_and_otherwise_in_another_epoch() -> None:
    waves, lengths = _waves(150)
    vary = WaveAugmenter(ALL, SIGNAL, lengths, 3)
    whole = vary(waves, INDICES, 1)
    chosen = torch.tensor([40, 3, 17])
    assert torch.equal(vary(waves[chosen], chosen, 1), whole[chosen])
    assert torch.equal(WaveAugmenter(ALL, SIGNAL, lengths, 3)(waves, INDICES, 1), whole)
    assert not torch.equal(vary(waves, INDICES, 2), whole)
    assert not torch.equal(WaveAugmenter(ALL, SIGNAL, lengths, 4)(waves, INDICES, 1), whole)


def test_gain_changes_a_level_that_is_made_equal_first() -> None:
    waves, lengths = _waves(100)
    equal = SIGNAL.replace(sound=SOUND.replace(level="equal"))
    plain = WaveAugmenter(SignalAugmentConfig(), equal, lengths, 3)
    assert torch.equal(plain(waves, INDICES, 0).amax(dim=(1, 2)), torch.ones(64))
    vary = WaveAugmenter(SignalAugmentConfig(gain_db=6), equal, lengths, 3)
    assert vary(waves, INDICES, 0).amax(dim=(1, 2)).std() > 0.2


@pytest.mark.parametrize(("name", "axis"), [("time_mask", -1), ("frequency_mask", -2)])
def test_masks_cover_at_most_two_shares_of_one_axis(name: str, axis: int) -> None:
    config = SignalAugmentConfig(**{name: 0.25})
    found = mask_bands(torch.ones(64, 1, 40, 60), config, INDICES, (0, 0))
    other = -1 if axis == -2 else -2
    covered = (found == 0).float()
    assert torch.equal(covered.amin(dim=other), covered.amax(dim=other))  # whole bands
    share = covered.amax(dim=other).mean(dim=-1)
    assert 0.25 < share.max() <= 0.5
    assert share.min() < 0.1


@pytest.mark.parametrize(
    ("settings", "features", "words"),
    [
        ({"flip": True}, "logmel", "flip=true is not for audio"),
        ({"crop": 0.8}, "logmel", "is for series, not for clips"),
        ({"rotate": True}, "logmel", "rotate=true is for volumes"),
        ({"frequency_mask": 0.1}, "waveform", "needs data.audio.features=logmel"),
    ],
)
def test_settings_that_do_not_suit_audio_are_refused(
    settings: dict[str, Any], features: str, words: str
) -> None:
    signal = SIGNAL.replace(sound=SOUND.replace(features=features))
    with pytest.raises(ConfigError, match=words):
        SignalAugmenter(SignalAugmentConfig(**settings), signal, 0)


@pytest.mark.parametrize("name", ["speed", "gain_db", "noise", "time_mask", "frequency_mask"])
def test_settings_of_audio_are_refused_for_series(name: str) -> None:
    series = SignalInput(kind="series", size=16, mean=(0.0,), std=(1.0,))
    with pytest.raises(ConfigError, match=f"{name}=0.1 is for audio, not for a series"):
        SignalAugmenter(SignalAugmentConfig(**{name: 0.1}), series, 0)
