"""From the bytes of an image to what a network sees in it, for a trained or an exported one."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from resnext.class_lists import readable
from resnext.data.decode.depth import AssumptionLog
from resnext.data.decode.image import Photo
from resnext.data.prepare.geometry import cut_long
from resnext.data.prepare.preparation import Preparation
from resnext.data.prepare.single import to_hwc
from resnext.errors import ConfigError
from resnext.page.heat_map import Heat, HeatMaps, why_not
from resnext.runtimes.exported import Exported
from resnext.runtimes.module import ExportedModule

if TYPE_CHECKING:
    from PIL import Image

    from resnext.model.trained import TrainedNetwork

Pixels = npt.NDArray[np.uint8]
Logits = npt.NDArray[np.float64]

TOP = 5
_MOST_PIXELS = 50_000_000


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
    """

    def __init__(self, model: TrainedNetwork | Exported) -> None:
        """Take a network.

        Raises:
            ConfigError: It is not one for images.
        """
        if not isinstance(model, Exported) and isinstance(model.module, ExportedModule):
            model = model.module.exported  # it takes the pixels as they are
        config = model.config
        if getattr(config, "ndim", 2) != 2 or config.in_channels not in (1, 3):
            raise ConfigError(
                "This network does not take images: the page needs one of 2 dimensions with 1 or "
                f"3 channels, and this one has {config.in_channels}."
            )
        self._model = model
        self.no_heat = why_not(model)
        self.num_classes = config.num_classes
        self._heat_maps: HeatMaps | None = None
        self._lock = Lock()
        self._assumptions = AssumptionLog()

    def classify(self, data: bytes, *, explain: int | None = None) -> Answer:
        """Look at an image.

        Args:
            data: What its file holds.
            explain: Draw the heat map of the class at this rank, 0 being the best.

        Raises:
            DataError: It is no image, damaged, or too large.
        """
        photo = Photo(data, self._model.config.in_channels, max_pixels=_MOST_PIXELS)
        image = photo.load()
        self._assumptions.report("the image", photo.assumed)
        crop = self._crop(image)
        logits = self._logits(image, crop)
        powers = np.exp(logits - logits.max())
        shares = powers / powers.sum()
        labels = np.argsort(-shares, kind="stable")[:TOP]
        heat = None
        if explain is not None and self.no_heat is None and explain < len(labels):
            heat = self._maps().draw(self._normalised(crop), int(labels[explain]))
        names = tuple(readable(self._model.classes[label]) for label in labels)
        return Answer(names, tuple(float(shares[label]) for label in labels), crop, heat)

    def _crop(self, image: Image.Image) -> Pixels:
        """Prepare an image as evaluation does."""
        side = self._model.spec.size_px if isinstance(self._model, Exported) else None
        preparation = Preparation.of_card(self._model.card, side)
        pixels: Pixels = to_hwc(preparation.crop(image)).numpy()
        return pixels

    def _logits(self, image: Image.Image, crop: Pixels) -> Logits:
        if not isinstance(self._model, Exported):
            import torch

            with torch.inference_mode():
                tensor_bk = self._model.module(self._normalised(crop))
            logits_k: Logits = tensor_bk[0].double().cpu().numpy()
            return logits_k
        kind = self._model.spec.input
        if kind == "image":
            batch: npt.NDArray[Any] = to_hwc(cut_long(image)).numpy()[None]
        elif kind == "pixels":
            batch = crop[None]
        else:
            batch = np.ascontiguousarray(self._normalised(crop).numpy())
        return np.asarray(self._model.run(batch)[0], dtype=np.float64)

    def _normalised(self, crop: Pixels) -> Any:
        """Return the crop as the network's numbers: a tensor, 1 x c x h x w."""
        import torch

        from resnext.data.prepare.normalise import normalise

        card = self._model.card
        device = torch.device("cpu")
        if not isinstance(self._model, Exported):
            device = next(self._model.module.parameters()).device
        image_bchw = torch.from_numpy(crop).permute(2, 0, 1).unsqueeze(0)
        return normalise(image_bchw, card.mean, card.std, device)

    def warm_up(self) -> None:
        """Import grad-cam in the background, which takes seconds, so that nobody waits for it."""
        if self.no_heat is None:
            Thread(target=self._maps, name="grad-cam").start()

    def _maps(self) -> HeatMaps:
        with self._lock:
            if self._heat_maps is None:
                assert not isinstance(self._model, Exported)
                self._heat_maps = HeatMaps(self._model)
            return self._heat_maps
