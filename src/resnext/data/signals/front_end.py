"""The front end of audio: samples to log-mel spectrograms, in batches.

Legend: b clips, c channels, l samples, f frequencies, m mel bands, w windows.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch

from resnext.model.signal import SignalInput
from resnext.model.sound import SoundInput

FLOOR = 1e-6
"""Added to the energy of a band before the logarithm: what is quieter counts as silence."""

_QUIET = 1e-3
"""Peak of the quietest clips that are brought to full scale: 60 dB below it."""

# Slaney's mel scale: linear up to 1 kHz, then 27 bands for each factor of 6.4.
_HZ_PER_MEL = 200.0 / 3.0
_BREAK_HZ = 1_000.0
_BREAK_MEL = _BREAK_HZ / _HZ_PER_MEL
_LOG_STEP = float(np.log(6.4)) / 27.0


def mel_filters(rate_hz: int, fft: int, num_mels: int) -> npt.NDArray[np.float32]:
    """Return triangular filters, equally spaced in mel, each of area 1.

    Args:
        rate_hz: Samples per second; the bands reach from 0 to half of it.
        fft: Samples of the Fourier transform.
        num_mels: Number of filters.

    Returns:
        m x f, with f = fft / 2 + 1.

    Source: M. Slaney, "Auditory Toolbox", Interval Research 1998-010; librosa's default.
    """
    hz_f = np.linspace(0.0, rate_hz / 2, fft // 2 + 1)
    edges = _to_hz(np.linspace(0.0, _to_mel(rate_hz / 2), num_mels + 2))
    low, mid, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (hz_f - low) / (mid - low), (high - hz_f) / (high - mid)
    filters_mf = np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (high - low))
    return filters_mf.astype(np.float32)


def _to_mel(hz: float) -> float:
    if hz < _BREAK_HZ:
        return hz / _HZ_PER_MEL
    return _BREAK_MEL + float(np.log(hz / _BREAK_HZ)) / _LOG_STEP


def _to_hz(mels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    above = _BREAK_HZ * np.exp(_LOG_STEP * (mels - _BREAK_MEL))
    return np.where(mels < _BREAK_MEL, mels * _HZ_PER_MEL, above)


@lru_cache(maxsize=8)
def _constants(sound: SoundInput, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    filters_mf = torch.from_numpy(mel_filters(sound.rate_hz, sound.fft, sound.num_mels))
    return filters_mf.to(device), torch.hann_window(sound.window, device=device)


def log_mel(waves_bcl: torch.Tensor, sound: SoundInput) -> torch.Tensor:
    """Return the logarithm of the energy in each mel band and window.

    Windows are centred at multiples of the hop, with silence beyond both ends.

    Args:
        waves_bcl: Samples in -1..1, float32.
        sound: Windows and bands.

    Returns:
        b x c x m x w.
    """
    filters_mf, window = _constants(sound, waves_bcl.device)
    batch, channels, length = waves_bcl.shape
    spectrum = torch.stft(
        waves_bcl.reshape(batch * channels, length),
        sound.fft,
        sound.hop,
        sound.window,
        window,
        center=True,
        pad_mode="constant",
        return_complex=True,
    )
    energy = spectrum.real.square().addcmul_(spectrum.imag, spectrum.imag)
    mels = torch.matmul(filters_mf, energy).add_(FLOOR).log_()
    return mels.view(batch, channels, *mels.shape[1:])


def sound_features(
    waves_bcl: torch.Tensor, signal: SignalInput, *, is_level: bool = False
) -> torch.Tensor:
    """Return what the network receives of clips, before it is normalised by channel.

    Args:
        waves_bcl: Samples in -1..1, float32; of longer clips the middle is taken.
        signal: Length, front end and normalisation.
        is_level: They have been brought to their level.
    """
    assert signal.sound is not None
    features_bcx = middle(waves_bcl, signal.size)
    if not is_level and signal.sound.level == "equal":
        features_bcx = equal_level(features_bcx)
    if signal.sound.features == "logmel":
        features_bcx = log_mel(features_bcx, signal.sound)
    if signal.normalise == "series":
        axes = tuple(range(2, features_bcx.ndim))
        std, mean = torch.std_mean(features_bcx, dim=axes, keepdim=True, correction=0)
        features_bcx = (features_bcx - mean) / std.clamp_min(FLOOR)
    return features_bcx


def equal_level(waves_bcl: torch.Tensor) -> torch.Tensor:
    """Scale clips so that the loudest sample of all channels is 1; silence stays quiet."""
    peak_b11 = waves_bcl.abs().amax(dim=(1, 2), keepdim=True)
    return waves_bcl / peak_b11.clamp_min(_QUIET)


def middle(waves_bcl: torch.Tensor, size: int) -> torch.Tensor:
    """Return the middle of clips that are at least so long."""
    start = (waves_bcl.shape[-1] - size) // 2
    return waves_bcl.narrow(-1, start, size)
