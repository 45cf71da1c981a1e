"""Variation of a batch of signals, as a function of seed, epoch and index.

All numbers are drawn on the CPU from the hash, so they are the same on every device and for
every batch and process that a signal comes in.

Legend: b signals, c channels, x the sides, l steps along one dimension.
"""

from __future__ import annotations

from itertools import permutations

import torch

from resnext.data.random import Draw, below, derive, normal, uniform
from resnext.data.signals.audio_augment import mask_bands, refuse_for_kind
from resnext.data.signals.augment_config import SignalAugmentConfig
from resnext.errors import ConfigError
from resnext.model.signal import SignalInput, noun_of
from resnext.model.text import PADDING, UNKNOWN_TOKEN

_ORDERS = tuple(permutations(range(3)))
_ODD_ORDERS = (1, 2, 5)
"""Those of `_ORDERS` that exchange an odd number of pairs: mirrored unless a side is flipped."""


class SignalAugmenter:
    """Varies normalised signals."""

    def __init__(self, config: SignalAugmentConfig, signal: SignalInput, seed: int) -> None:
        """Prepare.

        Raises:
            ConfigError: A setting is for signals of another kind.
        """
        _check_text(config, signal)
        if signal.kind != "series" and config.crop < 1.0:
            raise ConfigError(
                f"signal_augment.crop={config.crop:g} is for series, not for {noun_of(signal)}; "
                "leave it at 1 and use shift"
            )
        if signal.ndim != 3 and config.rotate:
            raise ConfigError(
                f"signal_augment.rotate=true is for volumes, not for {signal.kind}; leave it out"
            )
        refuse_for_kind(config, signal)
        self._config, self._ndim, self._seed = config, signal.ndim, seed
        self._is_audio = signal.sound is not None

    def __call__(
        self, signals_bcx: torch.Tensor, indices_b: torch.Tensor, epoch: int
    ) -> torch.Tensor:
        """Vary a batch.

        Args:
            signals_bcx: Normalised float32, on any device.
            indices_b: Numbers of the signals in their split, int64 on the CPU.
            epoch: Number of the epoch.
        """
        config = self._config
        if config.word_dropout:
            return self._drop_words(signals_bcx, indices_b, epoch)
        if config.crop < 1.0:
            signals_bcx = self._crop(signals_bcx, indices_b, epoch)
        if config.shift and not self._is_audio:
            signals_bcx = self._shift(signals_bcx, indices_b, epoch)
        if config.flip or config.rotate:
            signals_bcx = self._turn(signals_bcx, indices_b, epoch)
        if config.scale:
            signals_bcx = signals_bcx * self._factors(signals_bcx, indices_b, epoch)
        if config.jitter:
            noise = self._noise(signals_bcx, indices_b, Draw.JITTER, epoch)
            signals_bcx = signals_bcx + config.jitter * noise
        if config.mask:
            signals_bcx = self._mask(signals_bcx, indices_b, epoch)
        if config.time_mask or config.frequency_mask:
            signals_bcx = mask_bands(signals_bcx, config, indices_b, (self._seed, epoch))
        return signals_bcx

    def _crop(self, signals_bcl: torch.Tensor, indices_b: torch.Tensor, epoch: int) -> torch.Tensor:
        """Stretch a random window to the full length, by linear interpolation."""
        length = signals_bcl.shape[-1]
        key = self._key(Draw.WINDOW, epoch)
        share_b = 1.0 - (1.0 - self._config.crop) * uniform(derive(key, 0), indices_b)
        span_b = share_b * (length - 1)
        start_b = (length - 1 - span_b) * uniform(derive(key, 1), indices_b)
        relative_l = torch.arange(length, dtype=torch.float32) / max(length - 1, 1)
        places_bl = (start_b[:, None] + span_b[:, None] * relative_l).clamp_(0, length - 1)
        left_bl = places_bl.floor().long()
        weight_bl = places_bl - left_bl
        right_bl = (left_bl + 1).clamp_(max=length - 1)
        device = signals_bcl.device
        before = _take_steps(signals_bcl, left_bl.to(device), 2)
        after = _take_steps(signals_bcl, right_bl.to(device), 2)
        return torch.lerp(before, after, weight_bl.to(device)[:, None])

    def _shift(
        self, signals_bcx: torch.Tensor, indices_b: torch.Tensor, epoch: int
    ) -> torch.Tensor:
        """Move along every dimension and repeat the edge."""
        key = self._key(Draw.SHIFT, epoch)
        for axis in range(self._ndim):
            length = signals_bcx.shape[2 + axis]
            most = round(self._config.shift * length)
            moved_b = below(2 * most + 1, derive(key, axis), indices_b) - most
            places_bl = (torch.arange(length) - moved_b[:, None]).clamp_(0, length - 1)
            signals_bcx = _take_steps(signals_bcx, places_bl.to(signals_bcx.device), 2 + axis)
        return signals_bcx

    def _turn(self, signals_bcx: torch.Tensor, indices_b: torch.Tensor, epoch: int) -> torch.Tensor:
        """Mirror, and turn into one of the positions of a cube."""
        flips_ba = torch.stack(
            [
                uniform(derive(self._key(Draw.FLIP, epoch), axis), indices_b) < 0.5
                for axis in range(self._ndim)
            ],
            dim=1,
        )
        orders_b = torch.zeros(len(indices_b), dtype=torch.int64)
        if self._config.rotate:
            orders_b = below(len(_ORDERS), self._key(Draw.TURN, epoch), indices_b)
            if not self._config.flip:  # an even number of flips and exchanges is a rotation
                is_odd_b = torch.isin(orders_b, torch.tensor(_ODD_ORDERS))
                flips_ba[:, 2] = flips_ba[:, 0] ^ flips_ba[:, 1] ^ is_odd_b
        turned = []
        for signal_cx, order, flips_a in zip(signals_bcx, orders_b.tolist(), flips_ba, strict=True):
            axes = [1 + axis for axis in flips_a.nonzero().flatten().tolist()]
            if self._config.rotate:
                signal_cx = signal_cx.permute(0, *(1 + axis for axis in _ORDERS[order]))
            turned.append(signal_cx.flip(axes))
        return torch.stack(turned)

    def _factors(
        self, signals_bcx: torch.Tensor, indices_b: torch.Tensor, epoch: int
    ) -> torch.Tensor:
        """Draw the factor of each channel, b x c x 1 ..."""
        channels = signals_bcx.shape[1]
        numbers_bc = indices_b[:, None] * channels + torch.arange(channels)
        factors_bc = 1.0 + self._config.scale * normal(self._key(Draw.SCALE, epoch), numbers_bc)
        return factors_bc.view(*factors_bc.shape, *(1,) * self._ndim).to(signals_bcx.device)

    def _noise(
        self, signals_bcx: torch.Tensor, indices_b: torch.Tensor, draw: Draw, epoch: int
    ) -> torch.Tensor:
        """Draw a normal number for each value."""
        num = signals_bcx[0].numel()
        numbers = indices_b[:, None] * num + torch.arange(num)
        noise = normal(self._key(draw, epoch), numbers)
        return noise.view(signals_bcx.shape).to(signals_bcx.device)

    def _mask(self, signals_bcx: torch.Tensor, indices_b: torch.Tensor, epoch: int) -> torch.Tensor:
        """Set a window to zero, the mean of normalised values."""
        key = self._key(Draw.MASK, epoch)
        share_b = self._config.mask * uniform(derive(key, 0), indices_b)
        inside = torch.ones(1, dtype=torch.bool)
        for axis in range(self._ndim):
            length = signals_bcx.shape[2 + axis]
            width_b = (share_b * length).round()
            start_b = ((length - width_b + 1) * uniform(derive(key, 1 + axis), indices_b)).floor()
            steps_l = torch.arange(length)
            inside_bl = (steps_l >= start_b[:, None]) & (steps_l < (start_b + width_b)[:, None])
            sides = [1] * self._ndim
            sides[axis] = length
            inside = inside & inside_bl.view(len(indices_b), 1, *sides)
        return signals_bcx.masked_fill(inside.to(signals_bcx.device), 0.0)

    def _drop_words(
        self, tokens_b1l: torch.Tensor, indices_b: torch.Tensor, epoch: int
    ) -> torch.Tensor:
        """Replace tokens by the unknown one; padding stays."""
        length = tokens_b1l.shape[-1]
        numbers_bl = indices_b[:, None] * length + torch.arange(length)
        dropped_bl = uniform(self._key(Draw.WORD, epoch), numbers_bl) < self._config.word_dropout
        is_dropped_b1l = dropped_bl[:, None].to(tokens_b1l.device) & (tokens_b1l != PADDING)
        return tokens_b1l.masked_fill(is_dropped_b1l, float(UNKNOWN_TOKEN))

    def _key(self, draw: Draw, epoch: int) -> int:
        return derive(self._seed, draw, epoch)


def _check_text(config: SignalAugmentConfig, signal: SignalInput) -> None:
    """Refuse what varies values for texts, and what varies words for other signals."""
    if signal.kind != "text":
        if config.word_dropout:
            raise ConfigError(
                f"signal_augment.word_dropout={config.word_dropout:g} is for text, not for "
                f"{signal.kind}; leave it out"
            )
        return
    plain = SignalAugmentConfig(word_dropout=config.word_dropout)
    for name in SignalAugmentConfig.model_fields:
        if getattr(config, name) != getattr(plain, name):
            raise ConfigError(
                f"signal_augment.{name}={getattr(config, name)} varies numbers; texts are varied "
                "by signal_augment.word_dropout only"
            )


def _take_steps(signals_bcx: torch.Tensor, places_bl: torch.Tensor, dim: int) -> torch.Tensor:
    """Take steps along one dimension, other ones for each signal."""
    sides = [1] * signals_bcx.ndim
    sides[0], sides[dim] = places_bl.shape
    shape = list(signals_bcx.shape)
    return signals_bcx.gather(dim, places_bl.view(sides).expand(shape))
