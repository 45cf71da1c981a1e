"""Validation of the mean and standard deviation of image channels, for values in 0..1."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from resnext.errors import ConfigError

MAX_LEVEL = 255
MIN_STD = 1e-3
"""Networks for 0..255 use 1/255, the smallest in use; lower values mean a constant channel."""

Values = tuple[float, ...]


def check_mean(values: Values) -> Values:
    """Check the means of channels and return them.

    Raises:
        ConfigError: One is outside 0..1.
    """
    if all(0 <= value <= 1 for value in values):
        return values
    raise ConfigError(
        f"{_listed(values)}: the mean of values in 0..1 must be in 0..1{_offer('mean', values)}"
    )


def check_std(values: Values) -> Values:
    """Check the standard deviations of channels and return them.

    Raises:
        ConfigError: One is not above 0, or above 1.
    """
    if all(MIN_STD <= value <= 1 for value in values):
        return values
    reason = f"the standard deviation of values in 0..1 must be {MIN_STD:g} to 1"
    if all(value >= 0 for value in values) and min(values) < MIN_STD:
        reason += "; for a constant channel give 1"
    raise ConfigError(f"{_listed(values)}: {reason}{_offer('std', values)}")


def _offer(name: str, values: Values) -> str:
    """Suggest rescaled values if they were meant for pixels in 0..255."""
    least = MIN_STD * MAX_LEVEL if name == "std" else 0
    if max(values) <= 1 or not all(least <= value <= MAX_LEVEL for value in values):
        return ""
    scaled = tuple(round(value / MAX_LEVEL, 4) for value in values)
    return f"; for pixels in 0..255 divide by 255: {name}={_listed(scaled)}"


def _listed(values: Values) -> str:
    return f"[{', '.join(f'{value:g}' for value in values)}]"


Mean = Annotated[Values, AfterValidator(check_mean)]
Std = Annotated[Values, AfterValidator(check_std)]
