"""What a network that takes signals expects of them, as its weight file says it."""

from __future__ import annotations

from math import prod
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from resnext.errors import ConfigError
from resnext.model.signal_columns import SignalColumns
from resnext.model.sound import SoundInput
from resnext.model.text import TextInput
from resnext.model.video import VideoInput
from resnext.settings import Settings

MAX_LENGTH = 2**20
"""Steps of one series; `MAX_SIGNAL_VALUES` bounds a whole set."""

MAX_SIGNAL_VALUES = 2**28
"""Numbers of one set in memory: a gibibyte in float32."""

MAX_CHANNELS = 4096

SignalKind = Literal["series", "volume", "text", "video", "audio"]
Fit = Literal["resample", "pad"]
Normalisation = Literal["channel", "series", "none"]

NUM_DIMENSIONS: dict[SignalKind, int] = {"series": 1, "volume": 3, "text": 1, "video": 3}
"""Of audio, the front end decides."""


class SignalInput(Settings):
    """How signals are prepared for a network.

    Attributes:
        kind: `series`, a curve of one or more channels, `volume`, `text`, a row of token numbers,
            `video` or `audio`.
        size: Steps of a series; voxels along each side of a volume; tokens of a text; pixels along
            each side of a frame; samples of a clip of audio.
        fit: How a series gets that length. `resample` interpolates linearly, `pad` keeps the
            steps: a shorter series is followed by the mean, of a longer one the middle is kept.
        normalise: `channel` subtracts each channel's mean over the training set and divides by
            its standard deviation; `series` does so with those of each single signal; `none`
            leaves the values.
        mean: What is subtracted from each channel.
        std: What each channel is then divided by.
        text: How a text becomes tokens; None for other kinds.
        video: How clips are taken from a video; None for other kinds.
        sound: The front end of audio; None for others.
        columns: Columns of tables of series or texts that were named; None if none was.
    """

    kind: SignalKind
    size: Annotated[int, Field(ge=1, le=MAX_LENGTH)]
    fit: Fit = "resample"
    normalise: Normalisation = "channel"
    mean: tuple[float, ...]
    std: tuple[Annotated[float, Field(gt=0.0)], ...]
    text: TextInput | None = None
    video: VideoInput | None = None
    sound: SoundInput | None = None
    columns: SignalColumns | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not 1 <= len(self.mean) == len(self.std) <= MAX_CHANNELS:
            raise ConfigError(
                f"mean has {len(self.mean)} values and std {len(self.std)}; give one of each for "
                f"every channel, at most {MAX_CHANNELS}"
            )
        if (self.kind == "audio") != (self.sound is not None):
            raise ConfigError(f"kind={self.kind!r}: audio has the settings sound, others have not")
        if (self.kind == "video") != (self.video is not None):
            raise ConfigError(f"kind={self.kind!r}: a video has a group video, others have none")
        if prod(self.sides) * self.in_channels > MAX_SIGNAL_VALUES:
            raise ConfigError(
                f"size={self.size}: one {self.kind} would have more than {MAX_SIGNAL_VALUES:,} "
                "values"
            )
        if self.sound is not None and self.sides[-1] * self.sound.fft > MAX_SIGNAL_VALUES:
            raise ConfigError(
                f"size={self.size}: the spectrogram of one clip would take more than "
                f"{MAX_SIGNAL_VALUES:,} values"
            )
        is_raw = (self.normalise, self.mean, self.std) == ("none", (0.0,), (1.0,))
        if (self.kind == "text") != (self.text is not None) or (self.text and not is_raw):
            raise ConfigError(
                f"kind={self.kind!r}: a text has a group text, one channel and no normalisation, "
                "and other kinds have no such group"
            )
        return self

    @model_serializer(mode="wrap")
    def _leave_out_unset(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Write signals without these groups as earlier versions did, which read them."""
        values: dict[str, Any] = write(self)
        for name in ("text", "video", "sound", "columns"):
            if getattr(self, name) is None:
                values.pop(name, None)
        return values

    def as_figures(self) -> dict[str, Any]:
        """Return JSON values for people: of a vocabulary only its size."""
        values = self.model_dump(mode="json")
        if self.text is not None:
            values["text"]["vocabulary"] = len(self.text.vocabulary)
        return values

    @property
    def ndim(self) -> int:
        """Dimensions of what the network receives, besides the channels."""
        return NUM_DIMENSIONS[self.kind] if self.sound is None else self.sound.ndim

    @property
    def sides(self) -> tuple[int, ...]:
        """What the network takes besides the channels: of a video frames, rows and columns."""
        if self.sound is not None:
            return self.sound.sides(self.size)
        if self.video is not None:
            return (self.video.frames, self.size, self.size)
        return (self.size,) * self.ndim

    @property
    def in_channels(self) -> int:
        """Channels of a signal."""
        return len(self.mean)

    @property
    def shape(self) -> str:
        """What the network takes, in words, such as `2 x 150` or `40 words`."""
        if self.text is not None:
            return f"{self.size} {self.text.unit}{'s' if self.size > 1 else ''}"
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


_PLURALS: dict[SignalKind, str] = {"series": "series", "audio": "clips"}
"""Where the plural is not the kind with an s."""


def noun_of(signal: SignalInput | None) -> str:
    """Return what a set holds, in the plural: images, series, volumes, clips, texts or videos."""
    if signal is None:
        return "images"
    return _PLURALS.get(signal.kind, f"{signal.kind}s")
