"""A service whose network tells low from high tones, or dark from bright videos."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from made_audio import HIGH_HZ, LOW_HZ, tone
from made_videos import write_video
from starlette.testclient import TestClient

from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig
from resnext.model.signal import SignalInput
from resnext.model.sound import SoundInput
from resnext.model.video import VideoInput
from resnext.runtimes.exported import Exported
from resnext.runtimes.spec import ExportSpec
from resnext.serving.app import create_app
from resnext.serving.limits import Limits
from resnext.serving.model import ServedModel
from resnext.serving.service import Service

SOUND = SoundInput(rate_hz=8_000, window=200, hop=80, num_mels=16)
AUDIO = SignalInput(kind="audio", size=1_600, mean=(0.0,), std=(1.0,), sound=SOUND)
STEREO = AUDIO.replace(mean=(0.0, 0.0), std=(1.0, 1.0))
VIDEO = SignalInput(
    kind="video",
    size=16,
    mean=(0.5,) * 3,
    std=(0.25,) * 3,
    video=VideoInput(frames=4, stride=2, clips=2, resize_px=20),
)
_NAMES = {"audio": ("low", "high"), "video": ("dark", "bright")}


def _low_or_high(mels_bcmw: Any) -> Any:
    """Compare the energy of the lower and the upper half of the bands."""
    half = mels_bcmw.shape[2] // 2
    parts = (mels_bcmw[:, :, :half], mels_bcmw[:, :, half:])
    return np.stack([one.mean(axis=(1, 2, 3)) for one in parts], axis=1).astype(np.float32)


def _dark_or_bright(values_bcthw: Any) -> Any:
    level_b = values_bcthw.mean(axis=(1, 2, 3, 4))
    return np.stack([0.5 - level_b, level_b - 0.5], axis=1).astype(np.float32)


def recording_model(signal: SignalInput = AUDIO) -> ServedModel:
    """Return a network for audio or video."""
    channels = signal.in_channels
    config = ResNeXtConfig(
        stem="cifar", blocks_per_stage=(1,), stage_widths=(16,), stem_width=8, cardinality=2,
        ndim=signal.ndim, in_channels=channels, num_classes=2,
    )  # fmt: skip
    card = ModelCard(
        classes=_NAMES[signal.kind],
        image_size_px=signal.size,
        resize_px=None,
        mean=(0.0,) * channels,
        std=(1.0,) * channels,
        signal=signal,
    )
    spec = ExportSpec(format="onnx", input="values", size_px=signal.size)
    infer = _dark_or_bright if signal.kind == "video" else _low_or_high
    return ServedModel(Exported(Path("x.onnx"), config, card, spec, infer), "recordings")


def recording_client(signal: SignalInput = AUDIO, **limits: Any) -> TestClient:
    """Return a client of a service, to be entered with `with`."""
    return TestClient(create_app(Service(lambda: recording_model(signal), Limits(**limits))))


def sound_file(
    kind: str = "WAV",
    *,
    is_low: bool = True,
    channels: int = 1,
    seconds: float = 0.2,
    rate_hz: int = 8_000,
    **options: Any,
) -> bytes:
    """Return the content of a file with a tone."""
    samples = tone(LOW_HZ if is_low else HIGH_HZ, seconds, rate_hz)
    file = io.BytesIO()
    soundfile.write(file, np.stack([samples] * channels, axis=1), rate_hz, format=kind, **options)
    return file.getvalue()


def video_file(folder: Path, suffix: str = ".mp4", *, level: int = 230, side: int = 32) -> bytes:
    """Return the content of a file of 20 grey frames."""
    frames = np.full((20, side, side, 3), level, np.uint8)
    return write_video(folder / f"{level}-{side}{suffix}", frames).read_bytes()
