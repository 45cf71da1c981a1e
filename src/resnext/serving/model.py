"""The served network: from an image file or a signal to its answer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from resnext.errors import CheckpointError
from resnext.inference.arrays import ArrayPredictor, predictor_of
from resnext.inference.predictor import Logits, Predictor
from resnext.runtimes.exported import Array
from resnext.serving.limits import Limits
from resnext.serving.preparation import check_header, decode_image, prepare_image
from resnext.serving.recordings import (
    AUDIO_FORMATS,
    VIDEO_FORMATS,
    prepare_recording,
    read_recordings,
    recording_bytes,
)
from resnext.serving.signals import Upload, prepare_signal, read_signals, signal_bytes
from resnext.serving.upload import read_images
from resnext.tasks.answer import Answer

if TYPE_CHECKING:
    from resnext.inference.recordings import RecordingPredictor
    from resnext.runtimes.exported import Exported
    from resnext.runtimes.spec import Precision


_ALL = 2**31
Outputs = Logits | Answer
"""The output for one image: a row of logits, or the answer read from them."""

MAX_OBJECT_MEGAPIXELS = 24.0
"""Limit of an image for a detector, which holds its pixels twice as floats before it resizes them:
24 bytes a pixel of 3 channels, so 0.6 GB."""

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
    _predictor: Predictor | ArrayPredictor | RecordingPredictor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Prepare to predict.

        Raises:
            ConfigError: A package that decodes its recordings is not installed.
        """
        object.__setattr__(self, "_predictor", predictor_of(self.exported))

    @property
    def classes(self) -> tuple[str, ...]:
        """Readable names of the outputs."""
        return self._predictor.classes

    @property
    def precision(self) -> Precision:
        """Precision of the arithmetic."""
        return self._predictor.precision

    @property
    def noun(self) -> str:
        """What callers send: images or signals."""
        return "images" if isinstance(self._predictor, Predictor) else "signals"

    @property
    def takes(self) -> Literal["images", "arrays", "texts", "recordings"]:
        """What a request holds: `recordings` are files of audio or video."""
        if isinstance(self._predictor, Predictor):
            return "images"
        if not isinstance(self._predictor, ArrayPredictor):
            return "recordings"
        return "arrays" if self._predictor.signal.text is None else "texts"

    def formats(self, limits: Limits) -> tuple[str, ...]:
        """Return the formats that are accepted."""
        if isinstance(self._predictor, Predictor):
            return limits.formats
        if isinstance(self._predictor, ArrayPredictor):
            return ("npy", "npz", "json") if self._predictor.signal.text is None else ("json",)
        return AUDIO_FORMATS if self._predictor.signal.sound is not None else VIDEO_FORMATS

    @property
    def is_dense(self) -> bool:
        """Whether the network gives every pixel a class."""
        return isinstance(self._predictor, Predictor) and self._predictor.preprocessor.is_dense

    @property
    def finds_objects(self) -> bool:
        """Whether the network is a detector."""
        predictor = self._predictor
        return isinstance(predictor, Predictor) and predictor.preprocessor.detector is not None

    @property
    def keeps_size(self) -> bool:
        """Whether images keep their own size, and are answered one by one."""
        return self.is_dense or self.finds_objects

    @property
    def answers(self) -> type[Answer]:
        """The type of the answers."""
        return self._predictor.answers

    @property
    def is_batched(self) -> bool:
        """Whether images can be batched, since all have the same size."""
        if not isinstance(self._predictor, Predictor):
            return True
        return not (self._predictor.preprocessor.is_whole or self.keeps_size)

    def bound(self, limits: Limits) -> Limits:
        """Return the limits on images for this network.

        If every pixel gets a class, one image is a lot of work, and nothing else runs meanwhile.
        """
        if not self.keeps_size:
            return limits
        most = MAX_DENSE_MEGAPIXELS if self.is_dense else MAX_OBJECT_MEGAPIXELS
        return limits.replace(max_megapixels=min(limits.max_megapixels, most))

    def read(self, body: bytes, content_type: str, max_images: int) -> Sequence[Upload]:
        """Extract the images or signals from the body of a request.

        Raises:
            HttpError: The body is not accepted.
        """
        if isinstance(self._predictor, Predictor):
            return read_images(body, content_type, max_images)
        if not isinstance(self._predictor, ArrayPredictor):
            return read_recordings(body, content_type, max_images)
        is_text = self._predictor.signal.text is not None
        return read_signals(body, content_type, max_images, is_text=is_text)

    def judge(self, upload: Upload, limits: Limits) -> int:
        """Check the header of an image or signal, and return the memory that it needs, in bytes.

        Raises:
            HttpError: It is not accepted.
        """
        if isinstance(self._predictor, Predictor):
            assert isinstance(upload, bytes)  # as `read_images` returns it
            return check_header(upload, limits)
        if isinstance(self._predictor, ArrayPredictor):
            return signal_bytes(upload)
        assert isinstance(upload, bytes)  # as `read_recordings` returns it
        return recording_bytes(upload, self._predictor, limits)

    def decode(self, upload: Upload) -> Array:
        """Decode an image or signal whose header was checked, and preprocess it.

        Raises:
            HttpError: It is bad.
        """
        if isinstance(self._predictor, ArrayPredictor):
            return prepare_signal(upload, self._predictor)
        assert isinstance(upload, bytes)  # as `read_images` and `read_recordings` return it
        if not isinstance(self._predictor, Predictor):
            return prepare_recording(upload, self._predictor)
        preprocessor = self._predictor.preprocessor
        return prepare_image(decode_image(upload, preprocessor), preprocessor)

    def run(self, images: list[Array]) -> Sequence[Outputs]:
        """Return what the network computes for prepared images: b x num_classes.

        Scores of every pixel would be far larger than the image, so masks are computed at once.
        Answers of a detector hold all of its objects.
        """
        if isinstance(self._predictor, Predictor) and self.keeps_size:
            return list(self._predictor.answers_to(images, top=_ALL))
        return list(self._predictor.logits(images))

    def answer(
        self, outputs: Outputs, top: int | None = None, min_score: float | None = None
    ) -> Answer:
        """Read what `run` returned for one image; see `Predictor.answer` and `Answer.limited`."""
        top = self.answers.usual_top if top is None else top
        if isinstance(outputs, Answer):
            return outputs.limited(top, min_score)
        return self._predictor.answer(outputs, top)

    def try_out(self) -> None:
        """Run the network once on grey images or generated signals, as a client would.

        Raises:
            CheckpointError: It fails, or does not return a finite number for each class.
        """
        images = self._usual_inputs()
        try:
            logits = self._predictor.logits(images)
        # Each runtime raises its own exceptions.
        except Exception as error:
            raise CheckpointError(f"{self.name}: the network fails to run: {error}") from error
        wanted = (len(images), *([] if self.finds_objects else [len(self.classes)]))
        if logits.shape[: len(wanted)] != wanted or not np.isfinite(logits).all():
            raise CheckpointError(
                f"{self.name}: for {len(images)} {self.noun} the network returned {logits.shape} "
                f"numbers, but a finite number for each of {len(self.classes)} classes is needed"
            )

    def _usual_inputs(self) -> list[Array]:
        if not isinstance(self._predictor, Predictor):
            return list(self._predictor.made(2))
        side = self.exported.spec.size_px
        grey = np.full((side, side, self.exported.config.in_channels), 128, dtype=np.uint8)
        return [grey, grey] if self.is_batched else [grey]
