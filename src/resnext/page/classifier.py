"""From the bytes of an image to what a network sees in it, for a trained or an exported one."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock, Thread
from typing import TYPE_CHECKING

from PIL import Image

from resnext.data.prepare.geometry import Pixels
from resnext.inference.predictor import Predictor
from resnext.page.heat_map import Heat, HeatMaps, why_not
from resnext.runtimes.exported import Exported
from resnext.tasks.segmentation.answer import MaskAnswer

if TYPE_CHECKING:
    from resnext.model.trained import TrainedNetwork

TOP = 5
_MAX_PIXELS = 50_000_000
_MAX_DENSE_PIXELS = 4_000_000  # every one of them gets a class, which takes long


@dataclass(frozen=True)
class Answer:
    """What was seen in one image.

    Attributes:
        classes: The most probable classes, best first.
        probabilities: Of those, 0..1.
        crop: What the network was shown, uint8 h x w x c.
        heat: Where it looked, h x w in 0..1; None if that is not known or was not asked.
    """

    classes: tuple[str, ...]
    probabilities: tuple[float, ...]
    crop: Pixels
    heat: Heat | None


class Classifier:
    """A served network, ready for images from the page.

    Attributes:
        no_heat: Why there are no heat maps; None if there are.
        num_classes: Classes that it tells apart.
        is_dense: It gives every pixel a class; `segment` shows it images then.
    """

    def __init__(self, model: TrainedNetwork | Exported) -> None:
        """Take a network.

        Raises:
            ConfigError: It is not one for images.
        """
        self._predictor = Predictor(model)
        self._preprocessor = self._predictor.preprocessor
        self.no_heat = why_not(self._predictor.network)
        self.num_classes = model.config.num_classes
        self.is_dense = self._preprocessor.is_dense
        self._heat_maps: HeatMaps | None = None
        self._lock = Lock()

    def classify(self, data: bytes, *, explain: int | None = None) -> Answer:
        """Look at an image.

        Args:
            data: What its file holds.
            explain: Draw the heat map of the class at this rank, 0 being the best.

        Raises:
            DataError: It is no image, damaged, or too large.
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
        """Look at every pixel of an image, where `is_dense`.

        Args:
            data: What its file holds.

        Returns:
            The image, the right way up, and the class of each of its pixels.

        Raises:
            DataError: It is no image, damaged, or too large.
        """
        image = self._preprocessor.decode(data, "the image", max_pixels=_MAX_DENSE_PIXELS)
        (answer,) = self._predictor.answers_to([self._preprocessor.pixels(image)], TOP)
        assert isinstance(answer, MaskAnswer)
        return image, answer

    def warm_up(self) -> None:
        """Import grad-cam in the background, which takes seconds, so that nobody waits for it."""
        if self.no_heat is None:
            Thread(target=self._maps, name="grad-cam").start()

    def _maps(self) -> HeatMaps:
        with self._lock:
            if self._heat_maps is None:
                network = self._predictor.network
                assert not isinstance(network, Exported)
                self._heat_maps = HeatMaps(network)
            return self._heat_maps
