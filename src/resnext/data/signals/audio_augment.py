"""Variation of audio: of the samples before the front end, and masks behind it.

Like all variation a function of seed, epoch and index; all numbers are drawn on the CPU.

Legend: b clips, c channels, l samples, x the sides of the features.
"""

from __future__ import annotations

import torch

from resnext.data.random import Draw, derive, normal, uniform
from resnext.data.signals.augment_config import SignalAugmentConfig
from resnext.data.signals.front_end import equal_level
from resnext.data.signals.split import as_float
from resnext.errors import ConfigError
from resnext.model.signal import SignalInput

_AUDIO_ONLY = ("speed", "gain_db", "noise", "time_mask", "frequency_mask")
_NUM_MASKS = 2
_NOISE_TABLE = 2**20


def refuse_for_kind(config: SignalAugmentConfig, signal: SignalInput) -> None:
    """Refuse settings of audio for other signals, and of others for audio.

    Raises:
        ConfigError: One is set.
    """
    given = [name for name in _AUDIO_ONLY if getattr(config, name)]
    if given and signal.sound is None:
        raise ConfigError(
            f"signal_augment.{given[0]}={getattr(config, given[0]):g} is for audio, not for a "
            f"{signal.kind}; leave it out"
        )
    if signal.sound is None:
        return
    if config.flip:
        raise ConfigError("signal_augment.flip=true is not for audio; leave it out")
    if config.frequency_mask and signal.sound.features != "logmel":
        raise ConfigError(
            f"signal_augment.frequency_mask={config.frequency_mask:g} needs "
            "data.audio.features=logmel; leave it out for a waveform"
        )


class WaveAugmenter:
    """Takes a part of each clip, or places it in silence, and varies its sound."""

    def __init__(
        self,
        config: SignalAugmentConfig,
        signal: SignalInput,
        lengths_n: torch.Tensor,
        seed: int,
    ) -> None:
        """Prepare.

        Args:
            config: How much is varied.
            signal: Samples of the result, and their level.
            lengths_n: Samples of each clip, in the middle of what is stored.
            seed: Seed of the run.
        """
        assert signal.sound is not None
        self._config, self._size, self._seed = config, signal.size, seed
        self._is_equal = signal.sound.level == "equal"
        self._lengths_n = lengths_n
        self._noise = torch.empty(0)
        if config.noise:
            numbers = torch.arange(_NOISE_TABLE + signal.size)
            self._noise = normal(derive(seed, Draw.NOISE), numbers)

    def __call__(
        self, waves_bcl: torch.Tensor, indices_b: torch.Tensor, epoch: int
    ) -> torch.Tensor:
        """Vary a batch.

        Args:
            waves_bcl: Samples as they are stored, int16 or float32, on any device.
            indices_b: Numbers of the clips in their split, int64 on the CPU.
            epoch: Number of the epoch.

        Returns:
            b x c x size, float32.
        """
        config = self._config
        waves_bcl = self._place(waves_bcl, indices_b, epoch)
        if self._is_equal:
            waves_bcl = equal_level(waves_bcl)
        if config.noise:
            waves_bcl = waves_bcl + self._white_noise(waves_bcl, indices_b, epoch)
        if config.gain_db:
            key = derive(self._seed, Draw.GAIN, epoch)
            decibels_b = config.gain_db * (2.0 * uniform(key, indices_b) - 1.0)
            factors_b = torch.pow(10.0, decibels_b / 20.0).to(waves_bcl.device)
            waves_bcl = waves_bcl * factors_b[:, None, None]
        return waves_bcl

    def _place(self, waves_bcl: torch.Tensor, indices_b: torch.Tensor, epoch: int) -> torch.Tensor:
        """Read each clip from a random start, at a random speed; beyond its ends is silence."""
        config, stored = self._config, waves_bcl.shape[-1]
        lengths_b = self._lengths_n[indices_b].double()
        speed_b = torch.ones(len(indices_b), dtype=torch.float64)
        if config.speed:
            key = derive(self._seed, Draw.SPEED, epoch)
            speed_b = 1.0 + config.speed * (2.0 * uniform(key, indices_b).double() - 1.0)
        span_b = self._size * speed_b
        first_b = torch.div(stored - lengths_b, 2, rounding_mode="floor")
        key = derive(self._seed, Draw.PLACE, epoch)
        start_b = first_b + (lengths_b - span_b) * uniform(key, indices_b).double()
        if config.shift:
            key = derive(self._seed, Draw.SHIFT, epoch)
            start_b += config.shift * span_b * (2.0 * uniform(key, indices_b).double() - 1.0)
        places_bl = start_b.round()[:, None] + speed_b[:, None] * torch.arange(self._size)
        left_bl = places_bl.floor().long()
        padded_bcl = torch.nn.functional.pad(waves_bcl, (1, 1))
        before = _samples(padded_bcl, left_bl)
        if not config.speed:
            return before
        weight_bl = (places_bl - left_bl).float()
        after = _samples(padded_bcl, left_bl + 1)
        return torch.lerp(before, after, weight_bl.to(waves_bcl.device)[:, None])

    def _white_noise(
        self, waves_bcl: torch.Tensor, indices_b: torch.Tensor, epoch: int
    ) -> torch.Tensor:
        """Take noise from a random place of a table, for each channel its own."""
        _, channels, length = waves_bcl.shape
        key = derive(self._seed, Draw.NOISE, epoch)
        numbers_bc = indices_b[:, None] * channels + torch.arange(channels)
        windows = self._noise.unfold(0, length, 1)
        starts_bc = (uniform(derive(key, 0), numbers_bc).double() * len(windows)).long()
        level_b11 = waves_bcl.square().mean(dim=(1, 2), keepdim=True).sqrt()
        share_b = self._config.noise * uniform(derive(key, 1), indices_b)
        noise_bcl = windows[starts_bc].to(waves_bcl.device)
        return noise_bcl * level_b11 * share_b.to(waves_bcl.device)[:, None, None]


def mask_bands(
    signals_bcx: torch.Tensor,
    config: SignalAugmentConfig,
    indices_b: torch.Tensor,
    position: tuple[int, int],
) -> torch.Tensor:
    """Set windows of time, and bands of frequencies, to zero, the mean of normalised values.

    Args:
        signals_bcx: Normalised features; time is the last dimension.
        config: How wide they are at most.
        indices_b: Numbers of the clips.
        position: Seed and epoch.

    Source: D. Park et al., "SpecAugment", arXiv 1904.08779.
    """
    chosen = (
        (Draw.TIME_MASK, config.time_mask, -1),
        (Draw.FREQUENCY_MASK, config.frequency_mask, -2),
    )
    is_inside = torch.zeros(1, dtype=torch.bool)
    for draw, most, axis in chosen:
        if not most:
            continue
        length = signals_bcx.shape[axis]
        sides = [len(indices_b), *(1,) * (signals_bcx.ndim - 1)]
        sides[axis] = length
        for number in range(_NUM_MASKS):
            key = derive(position[0], draw, position[1], number)
            width_b = (most * length * uniform(derive(key, 0), indices_b)).round()
            start_b = ((length - width_b + 1) * uniform(derive(key, 1), indices_b)).floor()
            steps_l = torch.arange(length)
            inside_bl = (steps_l >= start_b[:, None]) & (steps_l < (start_b + width_b)[:, None])
            is_inside = is_inside | inside_bl.view(sides)
    return signals_bcx.masked_fill(is_inside.to(signals_bcx.device), 0.0)


def _samples(padded_bcl: torch.Tensor, places_bl: torch.Tensor) -> torch.Tensor:
    """Take samples, as float32, by their places; those beyond the ends are 0.

    Args:
        padded_bcl: What is stored, with one 0 at each end.
        places_bl: Places without these.
    """
    shape = (*padded_bcl.shape[:2], places_bl.shape[-1])
    places_bl = (places_bl + 1).clamp_(0, padded_bcl.shape[-1] - 1).to(padded_bcl.device)
    return as_float(padded_bcl.gather(2, places_bl[:, None].expand(shape)))
