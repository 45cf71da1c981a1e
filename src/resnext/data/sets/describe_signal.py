"""The input of a network for signals, in words."""

from __future__ import annotations

from resnext.model.signal import SignalInput
from resnext.model.sound import SoundInput


def describe_signal(signal: SignalInput) -> str:
    """Return what the network receives of each signal, for the summary of a data set."""
    if signal.sound is not None:
        return _describe_sound(signal, signal.sound)
    if signal.text is not None:
        case = "lower case" if signal.text.lower else "upper and lower case"
        known = f"{len(signal.text.vocabulary):,} {signal.text.unit}s known"
        return f"text of {signal.shape}, cut or padded; {known}; {case}"
    if signal.video is not None:
        video = signal.video
        clips = f"every {video.stride}th frame" if video.stride > 1 else "consecutive frames"
        return f"clips of {signal.shape}, {clips}; {video.clips} per file in evaluation"
    fits = {"resample": "resampled", "pad": "padded or cropped"}
    fit = f", {fits[signal.fit]}" if signal.kind == "series" else ""
    means = {"channel": "each channel", "series": "each series on its own", "none": "nothing"}
    return f"{signal.kind} of {signal.shape}{fit}; {means[signal.normalise]} is normalised"


def _describe_sound(signal: SignalInput, sound: SoundInput) -> str:
    channels = "mono" if signal.in_channels == 1 else f"{signal.in_channels} channels"
    seconds = signal.size / sound.rate_hz
    means = {"channel": "", "series": ", each clip normalised on its own", "none": ", as it is"}
    return (
        f"{seconds:.3g} s of {channels} at {sound.rate_hz:,} Hz as {sound.features} of "
        f"{signal.shape}{means[signal.normalise]}"
    )
