from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from made_audio import tone

from resnext.data.signals.front_end import FLOOR, log_mel, mel_filters, sound_features
from resnext.model.signal import SignalInput
from resnext.model.sound import SoundInput

SOUND = SoundInput(rate_hz=8_000, window=200, hop=80, num_mels=40, level="recorded")
SIGNAL = SignalInput(kind="audio", size=1_600, fit="pad", mean=(0.0,), std=(1.0,), sound=SOUND)
SHAPES = [(8_000, 256, 40), (16_000, 512, 64), (22_050, 2_048, 128), (44_100, 2_048, 64)]


def _mel(hz: float) -> float:
    """Convert to Slaney's mel: 3 for each 200 Hz up to 1 kHz, then 27 for each factor of 6.4."""
    return 3 * hz / 200 if hz < 1_000 else 15 + 27 * math.log(hz / 1_000) / math.log(6.4)


def _hz(mel: float) -> float:
    return 200 * mel / 3 if mel < 15 else 1_000 * 6.4 ** ((mel - 15) / 27)


@pytest.mark.parametrize(("rate_hz", "fft", "num_mels"), SHAPES)
def test_mel_filters_follow_the_published_definition(rate_hz: int, fft: int, num_mels: int) -> None:
    top = _mel(rate_hz / 2)
    edges = [_hz(top * number / (num_mels + 1)) for number in range(num_mels + 2)]
    expected = np.zeros((num_mels, fft // 2 + 1))
    for band in range(num_mels):
        low, mid, high = edges[band : band + 3]
        for bin_ in range(fft // 2 + 1):
            hz = bin_ * rate_hz / fft
            if low < hz <= mid:
                height = (hz - low) / (mid - low)
            elif mid < hz < high:
                height = (high - hz) / (high - mid)
            else:
                height = 0.0
            expected[band, bin_] = height * 2 / (high - low)
    np.testing.assert_allclose(mel_filters(rate_hz, fft, num_mels), expected, rtol=0, atol=1e-7)


@pytest.mark.parametrize(("rate_hz", "fft", "num_mels"), SHAPES)
def test_mel_filters_are_those_of_librosa(rate_hz: int, fft: int, num_mels: int) -> None:
    librosa = pytest.importorskip("librosa")
    expected = librosa.filters.mel(sr=rate_hz, n_fft=fft, n_mels=num_mels)
    np.testing.assert_allclose(mel_filters(rate_hz, fft, num_mels), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 44_100])
def test_by_default_no_filter_is_empty(rate_hz: int) -> None:
    window = round(0.025 * rate_hz)
    sound = SoundInput(rate_hz=rate_hz, window=window, hop=1)
    assert mel_filters(rate_hz, sound.fft, sound.num_mels).sum(axis=1).min() > 0


def test_log_mel_is_the_logarithm_of_the_filtered_energy_of_windows() -> None:
    wave = np.random.default_rng(0).normal(size=1_600) * 0.1
    found = log_mel(torch.from_numpy(wave).float()[None, None], SOUND)[0, 0].numpy()
    assert found.shape == SOUND.sides(1_600) == (40, 21)
    padded = np.pad(wave, SOUND.fft // 2)
    # a Hann window of 200 samples, in the middle of the 256 of the transform
    window = np.zeros(256)
    window[28:228] = [0.5 - 0.5 * math.cos(2 * math.pi * step / 200) for step in range(200)]
    for number in range(found.shape[1]):
        part = padded[80 * number : 80 * number + 256] * window
        energy = np.abs(np.fft.rfft(part)) ** 2
        expected = np.log(mel_filters(8_000, 256, 40) @ energy + FLOOR)
        np.testing.assert_allclose(found[:, number], expected, atol=2e-4)


@pytest.mark.parametrize("hz", [250.0, 1_000.0, 3_000.0])
def test_a_tone_is_loudest_in_its_band(hz: float) -> None:
    wave = torch.from_numpy(tone(hz)).float()[None, None]
    band = int(log_mel(wave, SOUND)[0, 0, :, 10].argmax())
    assert abs(band - (_mel(hz) / _mel(4_000) * 41 - 1)) <= 1


def test_of_a_longer_clip_the_middle_is_taken() -> None:
    wave = torch.randn(2, 1, 2_000, generator=torch.Generator().manual_seed(0))
    expected = log_mel(wave[..., 200:1_800], SOUND)
    assert torch.equal(sound_features(wave, SIGNAL), expected)
    plain = SIGNAL.replace(sound=SOUND.replace(features="waveform"))
    assert torch.equal(sound_features(wave, plain), wave[..., 200:1_800])


def test_a_clip_normalised_on_its_own_does_not_depend_on_its_level() -> None:
    wave = torch.from_numpy(tone(440.0)).float()[None, None]
    own = SIGNAL.replace(normalise="series", sound=SOUND.replace(features="waveform"))
    found = sound_features(wave, own)
    torch.testing.assert_close(found, sound_features(0.01 * wave, own))
    assert float(found.std(correction=0)) == pytest.approx(1.0, abs=1e-4)
    silent = sound_features(torch.zeros_like(wave), own)
    assert torch.equal(silent, torch.zeros_like(wave))


def test_channels_are_separate() -> None:
    wave = torch.randn(1, 3, 1_600, generator=torch.Generator().manual_seed(0))
    together = log_mel(wave, SOUND)
    for channel in range(3):
        alone = log_mel(wave[:, channel : channel + 1], SOUND)
        torch.testing.assert_close(together[:, channel : channel + 1], alone)


@pytest.mark.parametrize("normalise", ["channel", "series"])
def test_an_equal_level_makes_quiet_and_loud_clips_the_same(normalise: str) -> None:
    wave = torch.randn(1, 2, 1_600, generator=torch.Generator().manual_seed(0))
    sound = SOUND.replace(level="equal")
    equal = SIGNAL.replace(normalise=normalise, sound=sound)
    found = sound_features(wave / 200, equal)
    torch.testing.assert_close(found, sound_features(wave, equal), rtol=1e-3, atol=1e-3)
    plain = equal.replace(sound=sound.replace(features="waveform"))
    if normalise == "channel":
        assert float(sound_features(wave, plain).abs().amax()) == pytest.approx(1.0)
    assert not sound_features(torch.zeros(1, 1, 1_600), plain).any()
