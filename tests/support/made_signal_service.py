"""A service whose network names the largest channel of a series, or the brightest volume."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from starlette.testclient import TestClient

from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig
from resnext.model.signal import SignalInput
from resnext.runtimes.exported import Exported
from resnext.runtimes.spec import ExportSpec
from resnext.serving.app import create_app
from resnext.serving.limits import Limits
from resnext.serving.model import ServedModel
from resnext.serving.service import Service

SERIES = SignalInput(kind="series", size=8, mean=(1.0, 2.0), std=(1.0, 1.0))
VOLUME = SignalInput(kind="volume", size=4, mean=(0.5,), std=(0.25,))


def _largest(batch: Any) -> Any:
    """Return the mean of each channel; gaps count as 0, as the graph does it."""
    means = np.nan_to_num(batch).reshape(*batch.shape[:2], -1).mean(axis=2)
    if means.shape[1] == 1:
        means = np.concatenate([1 - means, means], axis=1)
    return (4 * means).astype(np.float32)


def signal_model(signal: SignalInput = SERIES, **spec: Any) -> ServedModel:
    """Return a network for series of 2 x 8: `first` or `second` channel is larger."""
    channels = signal.in_channels
    config = ResNeXtConfig(
        stem="cifar", blocks_per_stage=(1,), stage_widths=(16,), stem_width=8, cardinality=2,
        ndim=signal.ndim, in_channels=channels, num_classes=2,
    )  # fmt: skip
    names = ("first", "second") if channels == 2 else ("dark", "bright")
    card = ModelCard(
        classes=names,
        image_size_px=signal.size,
        resize_px=None,
        mean=(0.0,) * channels,
        std=(1.0,) * channels,
        signal=signal,
    )
    described = ExportSpec(format="onnx", **{"input": "values", "size_px": signal.size, **spec})
    return ServedModel(Exported(Path("x.onnx"), config, card, described, _largest), "signals")


def signal_client(signal: SignalInput = SERIES, **limits: Any) -> TestClient:
    """Return a client of a service, to be entered with `with`."""
    return TestClient(create_app(Service(lambda: signal_model(signal), Limits(**limits))))


def npy(array: Any) -> bytes:
    """Return the bytes of an `.npy` file."""
    file = io.BytesIO()
    np.save(file, np.asarray(array))
    return file.getvalue()


def npz(**arrays: Any) -> bytes:
    """Return the bytes of an `.npz` file."""
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()
