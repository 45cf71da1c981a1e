"""Pictures of signals for people: curves, slices through the middle, or sound."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

_SIZE_PX = (288, 192)
_MARGIN_PX = 8
_LINE_PX = 2
_SLICE_PX = 96
_WAVE_PX = 64
_MAX_CURVES = 12
_COLORS = ("#1f5fa8", "#d9730d", "#2c8a4b", "#9b3fb5", "#8a6d1f", "#c2334d")


def draw_signal(values_cx: npt.NDArray[np.float32]) -> Image.Image:
    """Draw a signal.

    Args:
        values_cx: c x t, or c x d x h x w; NaN where there is no value.

    Returns:
        RGB: a curve for each of the first channels, on one scale; or the three slices through the
        middle of the first channel.
    """
    return _curves(values_cx) if values_cx.ndim == 2 else _slices(values_cx[0])


def draw_sound(wave_cl: npt.NDArray[np.float32], mels_mw: npt.NDArray[np.float32]) -> Image.Image:
    """Draw a clip of audio.

    Args:
        wave_cl: Samples.
        mels_mw: Log-mel spectrogram, low bands first.

    Returns:
        RGB: the range of the first channel over time, and below it the spectrogram.
    """
    width, height = _SIZE_PX
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    peak = float(np.abs(wave_cl[0]).max()) or 1.0
    for column, part in enumerate(np.array_split(wave_cl[0], width)):
        if part.size:
            top, bottom = (
                _WAVE_PX / 2 * (1.0 - value / peak) for value in (part.max(), part.min())
            )
            draw.line((column, top, column, bottom), fill=_COLORS[0])
    low, high = float(mels_mw.min()), float(mels_mw.max())
    shares_mw = (mels_mw[::-1] - low) / (high - low) if high > low else np.zeros_like(mels_mw)
    grey = Image.fromarray(np.rint(255.0 * (1.0 - shares_mw)).astype(np.uint8))
    size = (width, height - _WAVE_PX)
    image.paste(grey.resize(size, Image.Resampling.BILINEAR), (0, _WAVE_PX))
    return image


def _curves(values_ct: npt.NDArray[np.float32]) -> Image.Image:
    image = Image.new("RGB", _SIZE_PX, "white")
    draw = ImageDraw.Draw(image)
    values_ct = values_ct[:_MAX_CURVES].astype(np.float64)
    known = values_ct[np.isfinite(values_ct)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    width, height = (side - 2 * _MARGIN_PX for side in _SIZE_PX)
    scale = height / (high - low) if high > low else 0.0
    across_t = _MARGIN_PX + np.linspace(0, width, values_ct.shape[1])
    for channel, curve in enumerate(values_ct):
        is_known = np.isfinite(curve)
        down = _MARGIN_PX + (height / 2 if not scale else (high - curve[is_known]) * scale)
        down = np.broadcast_to(down, (int(is_known.sum()),))
        points = list(zip(across_t[is_known].tolist(), down.tolist(), strict=True))
        color = _COLORS[channel % len(_COLORS)]
        if len(points) > 1:
            draw.line(points, fill=color, width=_LINE_PX, joint="curve")
        elif points:
            draw.circle(points[0], _LINE_PX, fill=color)
    return image


def _slices(values_dhw: npt.NDArray[np.float32]) -> Image.Image:
    finite = np.nan_to_num(values_dhw.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(finite.min()), float(finite.max())
    grey = (finite - low) * (255.0 / (high - low) if high > low else 0.0)
    image = Image.new("RGB", (3 * _SLICE_PX, _SLICE_PX), "white")
    for axis in range(3):
        pixels = np.take(grey, grey.shape[axis] // 2, axis=axis).round().astype(np.uint8)
        part = Image.fromarray(pixels).resize((_SLICE_PX, _SLICE_PX), Image.Resampling.NEAREST)
        image.paste(part, (axis * _SLICE_PX, 0))
    return image
