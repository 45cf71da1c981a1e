"""A service whose network is a few lines of arithmetic, and images to send to it."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from starlette.testclient import TestClient

from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig
from resnext.runtimes.exported import Exported
from resnext.runtimes.spec import ExportSpec
from resnext.serving.app import create_app
from resnext.serving.limits import Limits
from resnext.serving.model import ServedModel
from resnext.serving.service import Service

CONFIG = ResNeXtConfig(
    stem="cifar",
    blocks_per_stage=(1,),
    stage_widths=(16,),
    stem_width=8,
    cardinality=2,
    in_channels=3,
    num_classes=3,
)
CARD = ModelCard(
    classes=("red", "green", "blue"), image_size_px=8, resize_px=None, metrics={"top1_error": 7.5}
)

Infer = Callable[[Any], Any]


def mean_of_channels(batch: Any) -> Any:
    """Return logits that are the mean colour: the reddest image is `red`."""
    return batch.astype(np.float32).mean(axis=(1, 2)) / 25.5


class Gate:
    """A network that waits until it is let go, and counts what it was given.

    The image that tries a network out passes at once.
    """

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.entered = threading.Semaphore(0)
        self.open = threading.Event()
        self._is_tried = False

    def __call__(self, batch: Any) -> Any:
        if self._is_tried:
            self.batches.append(len(batch))
            self.entered.release()
            assert self.open.wait(30)
        self._is_tried = True
        return mean_of_channels(batch)


def made_model(infer: Infer = mean_of_channels, name: str = "colours") -> ServedModel:
    """Return a network that names the strongest colour of an image."""
    spec = ExportSpec(format="onnx", input="pixels", size_px=8)
    return ServedModel(Exported(Path(f"{name}.onnx"), CONFIG, CARD, spec, infer), name)


def made_service(infer: Infer = mean_of_channels, **limits: Any) -> Service:
    """Return a service of that network."""
    return Service(lambda: made_model(infer), Limits(**limits))


def made_client(service: Service | None = None, api_key: str | None = None) -> TestClient:
    """Return a client of a service, to be entered with `with`."""
    return TestClient(create_app(service or made_service(), api_key=api_key))


def image_bytes(
    colour: tuple[int, int, int] = (200, 10, 20), form: str = "PNG", side: int = 12
) -> bytes:
    """Return a file of one colour."""
    file = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(file, form)
    return file.getvalue()


def form_of(*images: bytes, name: str = "images") -> list[tuple[str, tuple[str, bytes]]]:
    """Return the files of a form, as the client wants them."""
    return [(name, ("of-the-caller.png", data)) for data in images]
