"""How a network that hears wants its sound, as its weight file says it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from resnext.errors import ConfigError
from resnext.settings import Settings

MIN_RATE_HZ, MAX_RATE_HZ = 1_000, 768_000
MAX_MELS = 512

SoundFeatures = Literal["logmel", "waveform"]
SoundLevel = Literal["equal", "recorded"]
Rate = Annotated[int, Field(ge=MIN_RATE_HZ, le=MAX_RATE_HZ)]


class SoundInput(Settings):
    """The front end of a network for audio.

    Attributes:
        rate_hz: Samples per second; files of other rates are resampled.
        features: `logmel`, the logarithm of a mel spectrogram, for a network in two dimensions; or
            `waveform`, the samples themselves, for one in one dimension.
        level: `equal` scales each clip so that its loudest sample is at full scale; `recorded`
            keeps its level.
        window: Samples of a window of the spectrogram.
        hop: Samples from one window to the next.
        num_mels: Mel bands, from 0 to half the rate.
    """

    rate_hz: Rate
    features: SoundFeatures = "logmel"
    level: SoundLevel = "equal"
    window: Annotated[int, Field(ge=2, le=2**16)]
    hop: Annotated[int, Field(ge=1, le=2**16)]
    num_mels: Annotated[int, Field(ge=1, le=MAX_MELS)] = 64

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.num_mels > self.fft // 2:
            raise ConfigError(
                f"num_mels={self.num_mels}: a window of {self.window} samples resolves at most "
                f"{self.fft // 2} bands; take fewer, or a longer window_ms"
            )
        return self

    @property
    def fft(self) -> int:
        """Samples of the Fourier transform: the window, filled up to a power of two."""
        return 1 << (self.window - 1).bit_length()

    @property
    def ndim(self) -> int:
        """Dimensions of what the network receives, besides the channels."""
        return 2 if self.features == "logmel" else 1

    def sides(self, size: int) -> tuple[int, ...]:
        """Return the sides of what the network receives of a clip of `size` samples."""
        return (self.num_mels, 1 + size // self.hop) if self.features == "logmel" else (size,)
