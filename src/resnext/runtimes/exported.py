"""An exported network: arrays in, logits out, in any runtime."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from resnext.errors import CheckpointError, ConfigError
from resnext.foreign_file import one_error
from resnext.model.card import ModelCard
from resnext.model.config import DetectorConfig, ModelConfig, SegmenterConfig
from resnext.runtimes.spec import (
    FLOAT_INPUTS,
    RUNTIME_OF,
    Description,
    ExportSpec,
    RuntimeName,
)

Array = npt.NDArray[Any]
Infer = Callable[[Array], npt.NDArray[np.float32]]


class Opened(NamedTuple):
    """The result of opening a file.

    Attributes:
        description: Description in the file.
        infer: The runtime's inference function, without checks.
    """

    description: Description
    infer: Infer


@dataclass(frozen=True)
class Exported:
    """An exported network, opened in its runtime.

    Attributes:
        path: Its file.
        config: Its architecture.
        card: Its classes and preprocessing.
        spec: Input of its graph, and the precision in which it was opened.
        infer: The runtime's inference function, without checks.
        opened_in: The runtime, if it is not the default of the format.
    """

    path: Path
    config: ModelConfig
    card: ModelCard
    spec: ExportSpec
    infer: Infer
    opened_in: RuntimeName | None = None

    @property
    def runtime(self) -> RuntimeName:
        """Name of the runtime."""
        return self.opened_in or RUNTIME_OF[self.spec.format]

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the outputs, or their numbers if the card has none."""
        return self.card.output_names(self.config.num_classes)

    def run(self, batch: Array) -> npt.NDArray[np.float32]:
        """Compute the logits of a batch; thread-safe.

        Args:
            batch: As described by `spec.input`: uint8 b x h x w x c, or float32 b x c x h x w, or
                b x c x the sides of signals.

        Returns:
            b x num_classes; for a segmentation network b x num_classes x h x w; for a detector
            b x objects x columns: left, top, right and bottom in pixels, score, class and mask,
            with a score of 0 in unused rows.

        Raises:
            ConfigError: Type or shape do not match the graph.
            CheckpointError: The runtime fails, or its output has another shape because the file was
                edited.
        """
        self._check(batch)
        remedy = "give fewer images at once, or copy the file again: it may be damaged"
        with one_error(self.path, "its runtime failed", remedy):
            logits_bk = self.infer(batch)
        wanted = (len(batch), *self._output_shape(batch))
        if logits_bk.shape != wanted:
            raise CheckpointError(
                f"{self.path}: computes logits {logits_bk.shape} instead of {wanted}; it was "
                "edited: export the network again"
            )
        return logits_bk

    def _output_shape(self, batch: Array) -> tuple[int, ...]:
        """Return the shape of the output for one image."""
        if isinstance(self.config, DetectorConfig):
            return (self.config.num_rows, self.config.num_columns)
        if not isinstance(self.config, SegmenterConfig):
            return (self.config.num_classes,)
        sides = batch.shape[2:] if self.spec.input in FLOAT_INPUTS else batch.shape[1:-1]
        return (self.config.num_classes, *sides)

    def _check(self, batch: Array) -> None:
        spec, channels = self.spec, self.config.in_channels
        is_float = spec.input in FLOAT_INPUTS
        wanted_type = np.float32 if is_float else np.uint8
        rank = getattr(self.config, "ndim", 2) + 2
        fits = batch.dtype == wanted_type and batch.ndim == rank
        if fits:
            sides = batch.shape[2:] if is_float else batch.shape[1:-1]
            fits = batch.shape[1 if is_float else -1] == channels and batch.shape[0] >= 1
            if spec.input == "image":
                fits = fits and batch.shape[0] == 1
            elif not spec.dynamic_size:
                fits = fits and tuple(sides) == self._sides
        if not fits:
            raise ConfigError(
                f"{self.path}: takes {self.wanted}, but got {batch.dtype} "
                f"{'x'.join(map(str, batch.shape))}"
            )

    @property
    def _sides(self) -> tuple[int, ...]:
        """Sides of the input, where only one size is taken."""
        if self.card.signal is not None:
            return self.card.signal.sides
        return (self.spec.size_px,) * getattr(self.config, "ndim", 2)

    @property
    def wanted(self) -> str:
        """The input in words, such as `uint8 batch x 224 x 224 x 3`."""
        spec, channels = self.spec, self.config.in_channels
        if spec.input == "image":
            return f"uint8 1 x height x width x {channels}"
        ndim = getattr(self.config, "ndim", 2)
        sides = " x ".join(["side"] * ndim if spec.dynamic_size else map(str, self._sides))
        if spec.input == "pixels":
            return f"uint8 batch x {sides} x {channels}"
        return f"float32 batch x {channels} x {sides}"
