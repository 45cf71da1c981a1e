"""Detects objects in image files. Legend: n objects found in an image."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from resnext.class_lists import readable
from resnext.data.decode.image import Photo, read_file
from resnext.data.prepare.geometry import pixels_of
from resnext.errors import ConfigError, DataError
from resnext.inference.files import Prediction
from resnext.model.config import DetectorConfig
from resnext.model.trained import TrainedNetwork
from resnext.tasks.detection.answer import BoxAnswer
from resnext.tasks.detection.network import found_rows


class Finder:
    """A detector with everything needed to run it on image files.

    Attributes:
        network: The network.
        classes: Readable names of the classes.
        answers: The type of its answers.
        precision: Precision of the arithmetic.
    """

    def __init__(self, network: TrainedNetwork, device: torch.device) -> None:
        """Prepare a network.

        Args:
            network: A detector.
            device: The device to run on.

        Raises:
            ConfigError: It is not a detector, or does not take images with 1 or 3 channels.
        """
        if not isinstance(network.config, DetectorConfig):
            raise ConfigError(f"{network.config.family}: is not a detector; name a detector")
        if network.config.in_channels not in (1, 3):
            raise ConfigError(
                f"in_channels={network.config.in_channels}: image files have 1 or 3 channels"
            )
        self.network = network
        self._config = network.config
        self.classes = tuple(map(readable, network.classes))
        self.answers = BoxAnswer
        self.precision = "fp32"
        self._device = device
        self._module = network.module.to(device).eval()
        self._in_channels = network.config.in_channels

    def read(self, path: Path) -> Image.Image:
        """Decode an image file.

        Raises:
            DataError: It cannot be read or is bad; the message gives only the reason.
        """
        return Photo(read_file(path), self._in_channels).load()

    def find(self, image: Image.Image) -> npt.NDArray[np.float64]:
        """Detect the objects in an image.

        Returns:
            n x 6: left, top, right and bottom in pixels, score and class number.

        Raises:
            DataError: It is too long and narrow.
        """
        try:
            self._config.resized_sides(image.size)
        except ConfigError as error:
            raise DataError(str(error)) from None
        pixels_chw = torch.from_numpy(np.array(pixels_of(image))).permute(2, 0, 1)
        with torch.inference_mode():
            (found,) = self._module([pixels_chw.to(self._device).float().div(255)])
        return found_rows(found)

    def find_in_files(
        self, paths: Iterable[Path], *, top: int, min_score: float
    ) -> Iterator[Prediction]:
        """Detect the objects in each file, including bad files.

        Images go through the network one by one: padding to one size would change the boxes.

        Args:
            paths: Image files.
            top: Maximum objects per image, those with the highest scores.
            min_score: Objects with lower scores are left out.
        """
        for index, path in enumerate(paths):
            try:
                found_n6 = self.find(self.read(path))
            except DataError as error:
                yield Prediction(index, path, error=str(error))
                continue
            kept_n6 = found_n6[found_n6[:, 4] >= min_score]
            answer = BoxAnswer.read(kept_n6, self.classes, self.network.card, top)
            yield Prediction(index, path, answer)
