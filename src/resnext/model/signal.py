"""What a network that takes signals expects of them, as its weight file says it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from resnext.errors import ConfigError
from resnext.settings import Settings

MAX_LENGTH = 2**20
"""Steps of one series; `MAX_SIGNAL_VALUES` bounds a whole set."""

MAX_SIGNAL_VALUES = 2**28
"""Numbers of one set in memory: a gibibyte in float32."""

MAX_CHANNELS = 4096

SignalKind = Literal["series", "volume"]
Fit = Literal["resample", "pad"]
Normalisation = Literal["channel", "series", "none"]

NUM_DIMENSIONS: dict[SignalKind, int] = {"series": 1, "volume": 3}


class SignalInput(Settings):
    """How signals are prepared for a network.

    Attributes:
        kind: `series`, a curve of one or more channels, or `volume`.
        size: Steps of a series; voxels along each side of a volume.
        fit: How a series gets that length. `resample` interpolates linearly, `pad` keeps the
            steps: a shorter series is followed by the mean, of a longer one the middle is kept.
        normalise: `channel` subtracts each channel's mean over the training set and divides by
            its standard deviation; `series` does so with those of each single signal; `none`
            leaves the values.
        mean: What is subtracted from each channel.
        std: What each channel is then divided by.
    """

    kind: SignalKind
    size: Annotated[int, Field(ge=1, le=MAX_LENGTH)]
    fit: Fit = "resample"
    normalise: Normalisation = "channel"
    mean: tuple[float, ...]
    std: tuple[Annotated[float, Field(gt=0.0)], ...]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not 1 <= len(self.mean) == len(self.std) <= MAX_CHANNELS:
            raise ConfigError(
                f"mean has {len(self.mean)} values and std {len(self.std)}; give one of each for "
                f"every channel, at most {MAX_CHANNELS}"
            )
        if self.size**self.ndim * self.in_channels > MAX_SIGNAL_VALUES:
            raise ConfigError(
                f"size={self.size}: one {self.kind} would have more than {MAX_SIGNAL_VALUES:,} "
                "values"
            )
        return self

    @property
    def ndim(self) -> int:
        """Dimensions besides the channels."""
        return NUM_DIMENSIONS[self.kind]

    @property
    def sides(self) -> tuple[int, ...]:
        """Sides of what the network receives, besides the channels."""
        return (self.size,) * self.ndim

    @property
    def in_channels(self) -> int:
        """Channels of a signal."""
        return len(self.mean)

    @property
    def shape(self) -> str:
        """What the network takes, in words, such as `2 x 150`."""
        return " x ".join(map(str, (self.in_channels, *self.sides)))


def noun_of(signal: SignalInput | None) -> str:
    """Return what a set holds, in the plural: images, series or volumes."""
    if signal is None:
        return "images"
    return "series" if signal.kind == "series" else f"{signal.kind}s"
