"""The served network: from an image file to its answer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from resnext.data.prepare.geometry import Pixels
from resnext.errors import CheckpointError
from resnext.inference.predictor import Logits, Predictor
from resnext.serving.limits import Limits
from resnext.serving.preparation import decode_image
from resnext.tasks.answer import Answer

if TYPE_CHECKING:
    from resnext.runtimes.exported import Exported
    from resnext.runtimes.spec import Precision


Outputs = Logits | Answer
"""The output for one image: a row of logits, or the answer read from them."""

MAX_DENSE_MEGAPIXELS = 4.0
"""Limit of an image that gets a class for each pixel. DeepLabV3 takes 650 thousand multiply-adds
a pixel, so 2.6 T for such an image: about 30 seconds on a few cores."""


@dataclass(frozen=True, eq=False)
class ServedModel:
    """An exported network with its limits.

    Attributes:
        exported: The network.
        name: Its name in answers and metrics.
        note: Why its runtime was chosen, or what its precision changed; may be empty.
        opened_at: When it was opened, in seconds since 1970.
    """

    exported: Exported
    name: str
    note: str = ""
    opened_at: float = field(default_factory=time.time)
    _predictor: Predictor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Prepare to predict.

        Raises:
            ConfigError: The network is not for images.
        """
        object.__setattr__(self, "_predictor", Predictor(self.exported))

    @property
    def classes(self) -> tuple[str, ...]:
        """Readable names of the outputs."""
        return self._predictor.classes

    @property
    def precision(self) -> Precision:
        """Precision of the arithmetic."""
        return self._predictor.precision

    @property
    def is_dense(self) -> bool:
        """Whether the network gives every pixel a class."""
        return self._predictor.preprocessor.is_dense

    @property
    def is_batched(self) -> bool:
        """Whether images can be batched, since all have the same size."""
        return not (self._predictor.preprocessor.is_whole or self.is_dense)

    def bound(self, limits: Limits) -> Limits:
        """Return the limits on images for this network.

        If every pixel gets a class, one image is a lot of work, and nothing else runs meanwhile.
        """
        if not self.is_dense:
            return limits
        return limits.replace(max_megapixels=min(limits.max_megapixels, MAX_DENSE_MEGAPIXELS))

    def decode(self, data: bytes) -> Pixels:
        """Decode an image file whose header was checked, and preprocess it.

        Raises:
            Problem: The image is bad.
        """
        preprocessor = self._predictor.preprocessor
        return preprocessor.pixels(decode_image(data, preprocessor))

    def run(self, images: list[Pixels]) -> Sequence[Outputs]:
        """Return what the network computes for prepared images: b x num_classes.

        Scores of every pixel would be far larger than the image, so masks are computed at once.
        """
        if self.is_dense:
            return list(self._predictor.answers_to(images, top=1))
        return list(self._predictor.logits(images))

    def answer(self, outputs: Outputs, top: int) -> Answer:
        """Read what `run` returned for one image; see `Predictor.answer`."""
        return outputs if isinstance(outputs, Answer) else self._predictor.answer(outputs, top)

    def try_out(self) -> None:
        """Run the network once on grey images of its input size, as a client would.

        Raises:
            CheckpointError: It fails, or does not return a finite number for each class.
        """
        side = self.exported.spec.size_px
        grey = np.full((side, side, self.exported.config.in_channels), 128, dtype=np.uint8)
        images = [grey, grey] if self.is_batched else [grey]
        try:
            logits = self._predictor.logits(images)
        # Each runtime raises its own exceptions.
        except Exception as error:
            raise CheckpointError(f"{self.name}: the network fails to run: {error}") from error
        if logits.shape[:2] != (len(images), len(self.classes)) or not np.isfinite(logits).all():
            raise CheckpointError(
                f"{self.name}: for {len(images)} images the network returned {logits.shape} "
                f"numbers, but a finite number for each of {len(self.classes)} classes is needed"
            )
