"""Which sound a network gets to hear, as data. Needs no torch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from resnext.model.sound import MAX_MELS, Rate, SoundFeatures, SoundInput, SoundLevel
from resnext.settings import FiniteSettings

Milliseconds = Annotated[float, Field(gt=0.0, le=1_000.0)]


class AudioConfig(FiniteSettings):
    """How audio files become what a network receives.

    Attributes:
        features: `logmel`, a log-mel spectrogram, for a network in two dimensions; or `waveform`,
            the samples, for one in one dimension.
        rate_hz: Samples per second to which all files are resampled; by default the most frequent
            rate of the training files, at most 16,000.
        seconds: Length of every clip; by default that of 95 % of the training files, at most 10.
            Shorter files are padded with silence, of longer ones training takes a random part and
            evaluation the middle.
        channels: `mono` mixes all channels of a file to one; `all` keeps them, and every file must
            have the same number.
        level: `equal` scales each clip so that its loudest sample is at full scale, because the
            level of a recording rarely has a meaning; `recorded` keeps it.
        num_mels: Bands of the spectrogram.
        window_ms: Length of a window of the spectrogram.
        hop_ms: From one window to the next.
    """

    features: SoundFeatures = "logmel"
    rate_hz: Rate | None = None
    seconds: Annotated[float, Field(gt=0.0, le=3_600.0)] | None = None
    channels: Literal["mono", "all"] = "mono"
    level: SoundLevel = "equal"
    num_mels: Annotated[int, Field(ge=1, le=MAX_MELS)] = 64
    window_ms: Milliseconds = 25.0
    hop_ms: Milliseconds = 10.0

    def front_end(self, rate_hz: int) -> SoundInput:
        """Return the front end at a rate.

        Raises:
            ConfigError: There are more bands than a window resolves.
        """
        return SoundInput(
            rate_hz=rate_hz,
            features=self.features,
            level=self.level,
            window=max(2, round(self.window_ms * rate_hz / 1_000)),
            hop=max(1, round(self.hop_ms * rate_hz / 1_000)),
            num_mels=self.num_mels,
        )

    def as_trained(self, sound: SoundInput, size: int, in_channels: int) -> AudioConfig:
        """Return these settings with the front end and length of a trained network."""
        to_ms = 1_000 / sound.rate_hz
        return self.replace(
            features=sound.features,
            rate_hz=sound.rate_hz,
            seconds=size / sound.rate_hz,
            channels="mono" if in_channels == 1 else "all",
            level=sound.level,
            num_mels=sound.num_mels,
            window_ms=sound.window * to_ms,
            hop_ms=sound.hop * to_ms,
        )
