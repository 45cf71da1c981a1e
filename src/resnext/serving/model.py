"""The network that is served: from an image file to its classes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from resnext.data.prepare.geometry import Pixels
from resnext.errors import CheckpointError
from resnext.inference.predictor import Logits, Predictor
from resnext.serving.preparation import decode_image
from resnext.tasks.answer import Answer

if TYPE_CHECKING:
    from resnext.runtimes.exported import Exported
    from resnext.runtimes.spec import Precision


@dataclass(frozen=True, eq=False)
class ServedModel:
    """An exported network with its limits.

    Attributes:
        exported: The network.
        name: What it is called in answers and figures.
        note: How its runtime was chosen, or what its precision changed; may be empty.
        opened_at: When, in seconds since 1970.
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
        """Of the arithmetic."""
        return self._predictor.precision

    @property
    def is_batched(self) -> bool:
        """Whether several images can go through together: all are of one size then."""
        return not self._predictor.preprocessor.is_whole

    def decode(self, data: bytes) -> Pixels:
        """Decode an image file whose header was judged, and make it ready.

        Raises:
            Problem: The image is bad.
        """
        preprocessor = self._predictor.preprocessor
        return preprocessor.pixels(decode_image(data, preprocessor))

    def run(self, images: list[Pixels]) -> Logits:
        """Return the logits b x num_classes of prepared images."""
        return self._predictor.logits(images)

    def answer(self, outputs: Logits, top: int) -> Answer:
        """Read what the network computed for one image; see `Predictor.answer`."""
        return self._predictor.answer(outputs, top)

    def try_out(self) -> None:
        """Run the network once on grey images of the size that it wants, as a client would.

        Raises:
            CheckpointError: It does not run, or its answer is no number for each class.
        """
        side = self.exported.spec.size_px
        grey = np.full((side, side, self.exported.config.in_channels), 128, dtype=np.uint8)
        images = [grey, grey] if self.is_batched else [grey]
        try:
            logits = self.run(images)
        # A runtime says what ails a file by exceptions of its own.
        except Exception as error:
            raise CheckpointError(f"{self.name}: the network does not run: {error}") from error
        if logits.shape != (len(images), len(self.classes)) or not np.isfinite(logits).all():
            raise CheckpointError(
                f"{self.name}: the network answers {len(images)} images with {logits.shape} "
                f"numbers, not all finite or not one for each of {len(self.classes)} classes"
            )
