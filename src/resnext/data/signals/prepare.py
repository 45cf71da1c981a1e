"""From series of any length, with gaps, to arrays of one size.

What has no value of its own (padding, a channel without any value) stays NaN in memory and becomes
0 behind the normalisation, which is the mean.

Legend: n series, c channels, t steps of one series, l steps of all.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from resnext.errors import DataError
from resnext.model.signal import MAX_SIGNAL_VALUES, Fit, Normalisation

Values = npt.NDArray[np.float32]

Series = npt.NDArray[np.float32]
"""c x t, NaN where a value is missing."""


def stack_series(
    series: Sequence[Series], length: int, fit: Fit, normalise: Normalisation, what: str
) -> Values:
    """Give all series one length.

    Args:
        series: c x t each, at least one.
        length: Steps of the result.
        fit: How it is reached; see `SignalInput`.
        normalise: Series are normalised here where each has its own statistics.
        what: The file, for messages.

    Returns:
        n x c x l.

    Raises:
        DataError: The result would be too large.
    """
    num, channels = len(series), len(series[0])
    if num * channels * length > MAX_SIGNAL_VALUES:
        raise DataError(
            f"{what}: {num:,} series of {channels:,} channel(s), all with {length:,} steps, are "
            f"more than the {MAX_SIGNAL_VALUES:,} values accepted; give fewer steps "
            "(--set data.length=N) or fewer series"
        )
    values_ncl = np.empty((num, channels, length), dtype=np.float32)
    for row, series_ct in enumerate(series):
        values_ncl[row] = prepare_series(series_ct, length, fit, normalise)
    return values_ncl


def prepare_series(series_ct: Series, length: int, fit: Fit, normalise: Normalisation) -> Values:
    """Fill the gaps of one series, normalise it if it has statistics of its own, fit its length.

    Returns:
        c x l, NaN where there is no value.
    """
    filled_ct = fill_gaps(series_ct)
    if normalise == "series":
        filled_ct = standardise(filled_ct)
    return resample(filled_ct, length) if fit == "resample" else pad(filled_ct, length)


def fill_gaps(series_ct: Series) -> Values:
    """Interpolate missing values linearly from their neighbours; the ends take the nearest one.

    A channel without any value stays as it is.
    """
    missing_ct = np.isnan(series_ct)
    if not missing_ct.any():
        return series_ct
    filled_ct = series_ct.copy()
    steps = np.arange(series_ct.shape[1])
    for channel, missing in zip(filled_ct, missing_ct, strict=True):
        if missing.any() and not missing.all():
            channel[missing] = np.interp(steps[missing], steps[~missing], channel[~missing])
    return filled_ct


def standardise(series_ct: Values) -> Values:
    """Give each channel the mean 0 and the standard deviation 1; a constant one becomes 0."""
    wide_ct = series_ct.astype(np.float64)
    centred_ct = wide_ct - wide_ct.mean(axis=1, keepdims=True)
    std_c1 = centred_ct.std(axis=1, keepdims=True)
    scale_c1 = np.abs(wide_ct).max(axis=1, keepdims=True)
    is_constant = std_c1 <= 1e-6 * scale_c1  # what rounding leaves of a constant in float32
    result: Values = np.where(
        is_constant, 0.0 * centred_ct, centred_ct / np.where(std_c1 > 0, std_c1, 1.0)
    )
    return result.astype(np.float32)


def resample(series_ct: Values, length: int) -> Values:
    """Interpolate a series linearly so that its first and last steps stay the ends."""
    steps = series_ct.shape[1]
    if steps == length:
        return series_ct
    places_l = np.linspace(0.0, steps - 1, length)
    own = np.arange(steps)
    return np.stack([np.interp(places_l, own, channel) for channel in series_ct]).astype(np.float32)


def pad(series_ct: Values, length: int) -> Values:
    """Keep the steps: of a longer series the middle, behind a shorter one nothing (NaN)."""
    channels, steps = series_ct.shape
    if steps >= length:
        start = (steps - length) // 2
        return series_ct[:, start : start + length]
    padded_cl = np.full((channels, length), np.nan, dtype=np.float32)
    padded_cl[:, :steps] = series_ct
    return padded_cl


def channel_statistics(values_ncx: Values) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and standard deviation of each channel over a set, values without one left out.

    A channel that is constant, or has no value, has the standard deviation 1.
    """
    means, stds = [], []
    for channel in range(values_ncx.shape[1]):
        known = values_ncx[:, channel][~np.isnan(values_ncx[:, channel])].astype(np.float64)
        mean = float(known.mean()) if known.size else 0.0
        std = float(known.std()) if known.size else 0.0
        largest = float(np.abs(known).max()) if known.size else 0.0
        means.append(_rounded(mean))
        stds.append(_rounded(std) if std > 1e-6 * largest else 1.0)
    return tuple(means), tuple(stds)


def _rounded(value: float) -> float:
    """Keep seven digits: more than float32 has, and the same in a file as in memory."""
    return float(f"{value:.7g}")
