"""How training signals are varied, as data. Needs no torch."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from resnext.settings import FiniteSettings

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Strength = Annotated[float, Field(ge=0.0, le=10.0)]


class SignalAugmentConfig(FiniteSettings):
    """How a training signal is varied; signals of validation never are. By default not at all.

    Mixing is a setting of `augment` (mixup), for signals as for images.

    Attributes:
        crop: Smallest share of a series that is kept: a random window of at least this share is
            stretched to the full length. 1 keeps all. For series only.
        shift: Largest share of the length or side by which a signal is moved, along every
            dimension by its own number; its edge is repeated. Audio is moved in time, beyond the
            random place that it always has in its length, and silence follows it.
        scale: Standard deviation of the factor, around 1, that each channel is multiplied by.
        jitter: Standard deviation of the noise that is added, in units of the normalised values.
        mask: Largest share of the length that a window of zeros covers; one share along every
            dimension of a volume.
        speed: Largest relative change of the speed of audio, and with it of its pitch.
        gain_db: Largest change of the level of audio, up or down, in decibels.
        noise: Largest level of white noise added to audio, relative to the level of the clip:
            with 0.1 it is at least 20 dB lower.
        time_mask: Largest share of the length of audio that each of two windows of zeros covers.
        frequency_mask: Largest share of the mel bands that each of two bands of zeros covers
            (SpecAugment).
        flip: Mirror along each dimension, every second signal by chance; of a video left and right.
        word_dropout: Share of the tokens of a text that are replaced by the unknown one. It is the
            only setting here that is for texts.
        rotate: Turn a volume into one of the 24 positions that a cube can take. For volumes only.
    """

    crop: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    shift: Share = 0.0
    scale: Strength = 0.0
    jitter: Strength = 0.0
    mask: Share = 0.0
    speed: Annotated[float, Field(ge=0.0, le=0.5)] = 0.0
    gain_db: Annotated[float, Field(ge=0.0, le=60.0)] = 0.0
    noise: Strength = 0.0
    time_mask: Share = 0.0
    frequency_mask: Share = 0.0
    flip: bool = False
    rotate: bool = False
    word_dropout: Share = 0.0
