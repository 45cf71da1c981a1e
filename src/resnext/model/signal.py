"""What a network that takes signals expects of them, as its weight file says it."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from resnext.errors import ConfigError
from resnext.model.sound import SoundInput
from resnext.settings import Settings

MAX_LENGTH = 2**20
"""Steps of one series; `MAX_SIGNAL_VALUES` bounds a whole set."""

MAX_SIGNAL_VALUES = 2**28
"""Numbers of one set in memory: a gibibyte in float32."""

MAX_CHANNELS = 4096

SignalKind = Literal["series", "volume", "audio"]
Fit = Literal["resample", "pad"]
Normalisation = Literal["channel", "series", "none"]

_NUM_DIMENSIONS: dict[SignalKind, int] = {"series": 1, "volume": 3}


class SignalInput(Settings):
    """How signals are prepared for a network.

    Attributes:
        kind: `series`, a curve of one or more channels, `volume` or `audio`.
        size: Steps of a series; voxels along each side of a volume; samples of a clip of audio.
        fit: How a series gets that length. `resample` interpolates linearly, `pad` keeps the
            steps: a shorter series is followed by the mean, of a longer one the middle is kept.
        normalise: `channel` subtracts each channel's mean over the training set and divides by
            its standard deviation; `series` does so with those of each single signal; `none`
            leaves the values.
        mean: What is subtracted from each channel.
        std: What each channel is then divided by.
        sound: The front end of audio; None for others.
    """

    kind: SignalKind
    size: Annotated[int, Field(ge=1, le=MAX_LENGTH)]
    fit: Fit = "resample"
    normalise: Normalisation = "channel"
    mean: tuple[float, ...]
    std: tuple[Annotated[float, Field(gt=0.0)], ...]
    sound: SoundInput | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not 1 <= len(self.mean) == len(self.std) <= MAX_CHANNELS:
            raise ConfigError(
                f"mean has {len(self.mean)} values and std {len(self.std)}; give one of each for "
                f"every channel, at most {MAX_CHANNELS}"
            )
        if (self.kind == "audio") != (self.sound is not None):
            raise ConfigError(f"kind={self.kind!r}: audio has the settings sound, others have not")
        if math.prod(self.sides) * self.in_channels > MAX_SIGNAL_VALUES:
            raise ConfigError(
                f"size={self.size}: one {self.kind} would have more than {MAX_SIGNAL_VALUES:,} "
                "values"
            )
        if self.sound is not None and self.sides[-1] * self.sound.fft > MAX_SIGNAL_VALUES:
            raise ConfigError(
                f"size={self.size}: the spectrogram of one clip would take more than "
                f"{MAX_SIGNAL_VALUES:,} values"
            )
        return self

    @model_serializer(mode="wrap")
    def _leave_out_unset(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Write cards of series and volumes as earlier versions did, which read them."""
        values: dict[str, Any] = write(self)
        if self.sound is None:
            values.pop("sound", None)
        return values

    @property
    def ndim(self) -> int:
        """Dimensions of what the network receives, besides the channels."""
        return _NUM_DIMENSIONS[self.kind] if self.sound is None else self.sound.ndim

    @property
    def sides(self) -> tuple[int, ...]:
        """Sides of what the network receives, besides the channels."""
        return (self.size,) * self.ndim if self.sound is None else self.sound.sides(self.size)

    @property
    def in_channels(self) -> int:
        """Channels of a signal."""
        return len(self.mean)

    @property
    def shape(self) -> str:
        """What the network takes, in words, such as `2 x 150`."""
        return " x ".join(map(str, (self.in_channels, *self.sides)))

    @property
    def description(self) -> str:
        """Kind and shape in words, such as `a series of 2 x 150`."""
        article = "" if self.kind == "audio" else "a "
        return f"{article}{self.kind} of {self.shape}"

    @property
    def axes(self) -> str:
        """What the sides count, such as `steps`."""
        if self.sound is not None:
            return "mel bands x windows" if self.sound.features == "logmel" else "samples"
        return "steps" if self.kind == "series" else "voxels"


_PLURALS: dict[SignalKind, str] = {"series": "series", "volume": "volumes", "audio": "clips"}


def noun_of(signal: SignalInput | None) -> str:
    """Return what a set holds, in the plural: images, series, volumes or clips."""
    if signal is None:
        return "images"
    return _PLURALS[signal.kind]
