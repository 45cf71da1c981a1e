"""Predictions for image bytes, from a trained or an exported network."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock, Thread
from typing import TYPE_CHECKING

from PIL import Image

from resnext.data.prepare.geometry import Pixels
from resnext.inference.predictor import Predictor
from resnext.page.heat_map import Heat, HeatMaps, why_not
from resnext.runtimes.exported import Exported
from resnext.tasks.detection.answer import BoxAnswer
from resnext.tasks.segmentation.answer import MaskAnswer

if TYPE_CHECKING:
    from resnext.model.trained import TrainedNetwork

TOP = 5
_MAX_PIXELS = 50_000_000
_MAX_OBJECT_PIXELS = 24_000_000  # as the service
_MAX_DENSE_PIXELS = 4_000_000  # every pixel is classified, which is slow


@dataclass(frozen=True)
class Answer:
    """The prediction for one image.

    Attributes:
        classes: The most probable classes, best first.
        probabilities: Their probabilities, 0..1.
        crop: The network's input, uint8 h x w x c.
        heat: Heat map, h x w in 0..1; None if it is unavailable or was not requested.
    """

    classes: tuple[str, ...]
    probabilities: tuple[float, ...]
    crop: Pixels
    heat: Heat | None


class Classifier:
    """The served network, ready for images from the page.

    Attributes:
        no_heat: Why heat maps are unavailable; None if they are available.
        num_classes: Number of classes.
        is_dense: The network classifies every pixel; use `segment`.
        finds_objects: The network finds objects; use `find`.
    """

    def __init__(self, model: TrainedNetwork | Exported) -> None:
        """Prepare a network for the page.

        Raises:
            ConfigError: The network does not take images.
        """
        self._predictor = Predictor(model)
        self._preprocessor = self._predictor.preprocessor
        self.no_heat = why_not(self._predictor.network)
        self.num_classes = model.config.num_classes
        self.is_dense = self._preprocessor.is_dense
        self.finds_objects = self._preprocessor.detector is not None
        self._heat_maps: HeatMaps | None = None
        self._lock = Lock()

    def classify(self, data: bytes, *, explain: int | None = None) -> Answer:
        """Classify an image.

        Args:
            data: The bytes of its file.
            explain: Compute the heat map of the class at this rank; 0 is the best class.

        Raises:
            DataError: It is not an image, damaged, or too large.
        """
        image = self._preprocessor.decode(data, "the image", max_pixels=_MAX_PIXELS)
        crop = self._preprocessor.crop(image)
        taken = self._preprocessor.pixels(image) if self._preprocessor.is_whole else crop
        scores = self._predictor.answer(self._predictor.logits([taken])[0], TOP).ranked
        heat = None
        if explain is not None and self.no_heat is None and explain < len(scores):
            images_bchw = self._predictor.normalised(crop[None])
            heat = self._maps().draw(images_bchw, scores[explain].label)
        names = tuple(score.name for score in scores)
        return Answer(names, tuple(score.probability for score in scores), crop, heat)

    def segment(self, data: bytes) -> tuple[Image.Image, MaskAnswer]:
        """Classify every pixel of an image; requires `is_dense`.

        Args:
            data: The bytes of its file.

        Returns:
            The image with its orientation applied, and the class of each pixel.

        Raises:
            DataError: It is not an image, damaged, or too large.
        """
        image = self._preprocessor.decode(data, "the image", max_pixels=_MAX_DENSE_PIXELS)
        (answer,) = self._predictor.answers_to([self._preprocessor.pixels(image)], TOP)
        assert isinstance(answer, MaskAnswer)
        return image, answer

    def find(self, data: bytes) -> tuple[Image.Image, BoxAnswer]:
        """Find the objects in an image; requires `finds_objects`.

        Args:
            data: The bytes of its file.

        Returns:
            The image with its orientation applied, and the objects that a person is shown.

        Raises:
            DataError: It is not an image, damaged, too large, or too long and narrow.
        """
        image = self._preprocessor.decode(data, "the image", max_pixels=_MAX_OBJECT_PIXELS)
        most = self._predictor.answers.usual_top
        (answer,) = self._predictor.answers_to([self._preprocessor.pixels(image)], most)
        assert isinstance(answer, BoxAnswer)
        return image, answer.limited(most)

    def warm_up(self) -> None:
        """Import grad-cam in the background: it takes seconds, and no request should wait."""
        if self.no_heat is None:
            Thread(target=self._maps, name="grad-cam").start()

    def _maps(self) -> HeatMaps:
        with self._lock:
            if self._heat_maps is None:
                network = self._predictor.network
                assert not isinstance(network, Exported)
                self._heat_maps = HeatMaps(network)
            return self._heat_maps
