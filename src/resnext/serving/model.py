"""The network that is served: from an image file to its classes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from resnext.class_lists import readable
from resnext.errors import CheckpointError, ConfigError
from resnext.serving.preparation import crop, decode_image, uncropped

if TYPE_CHECKING:
    from resnext.runtimes.exported import Exported

Pixels = npt.NDArray[np.uint8]
Logits = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Guess:
    """A class and its probability, 0..1."""

    name: str
    probability: float


@dataclass(frozen=True, eq=False)
class ServedModel:
    """An exported network with its limits.

    Attributes:
        exported: The network.
        name: What it is called in answers and figures.
        opened_at: When, in seconds since 1970.
        classes: Readable names of the outputs.
    """

    exported: Exported
    name: str
    opened_at: float = field(default_factory=time.time)
    classes: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Work out the names of the classes.

        Raises:
            ConfigError: The network is not for images.
        """
        config = self.exported.config
        if getattr(config, "ndim", 2) != 2 or config.in_channels not in (1, 3):
            raise ConfigError(
                "the service reads image files, and needs a network of 2 dimensions with 1 or 3 "
                f"channels; this one takes {config.in_channels}"
            )
        names = tuple(readable(name) for name in self.exported.classes)
        object.__setattr__(self, "classes", names)

    @property
    def is_batched(self) -> bool:
        """Whether several images can go through together: all are of one size then."""
        return self.exported.spec.input != "image"

    def decode(self, data: bytes) -> Pixels:
        """Decode an image file whose header was judged, and make it ready.

        Raises:
            Problem: The image is bad.
        """
        exported = self.exported
        image = decode_image(data, exported.config.in_channels)
        if self.is_batched:
            return crop(image, exported.card, exported.spec.size_px)
        return uncropped(image)

    def run(self, images: list[Pixels]) -> Logits:
        """Return the logits b x num_classes of prepared images."""
        batch = np.stack(images)
        if self.exported.spec.input == "normalised":
            return self.exported.run(
                _normalise(batch, self.exported.card.mean, self.exported.card.std)
            )
        return self.exported.run(batch)

    def top(self, logits: npt.NDArray[np.float32], num: int) -> list[Guess]:
        """Name the most probable classes, best first.

        Args:
            logits: Of one image: num_classes.
            num: How many classes, at most all.
        """
        shifted = np.exp(logits - logits.max())
        shares = shifted / shifted.sum()
        best = np.argsort(-shares, kind="stable")[:num]
        return [Guess(self.classes[label], float(shares[label])) for label in best]

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


def _normalise(
    images_bhwc: Pixels, mean: tuple[float, ...], std: tuple[float, ...]
) -> npt.NDArray[np.float32]:
    """Compute (pixel / 255 - mean) / std, b x c x h x w."""
    scale = (1.0 / (255.0 * np.asarray(std))).astype(np.float32)
    shift = (-np.asarray(mean) / np.asarray(std)).astype(np.float32)
    values = images_bhwc.astype(np.float32) * scale + shift
    return np.ascontiguousarray(values.transpose(0, 3, 1, 2))
