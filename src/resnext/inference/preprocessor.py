"""From an image file to the pixels that one network takes. Needs no torch: a service has none."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from resnext.data.decode.depth import AssumptionLog
from resnext.data.decode.image import Photo, read_file
from resnext.data.decode.image_limits import MAX_PIXELS
from resnext.data.decode.python_image import to_photo
from resnext.data.prepare.geometry import Pixels, cut_long, pixels_of
from resnext.data.prepare.preparation import Preparation
from resnext.errors import ConfigError
from resnext.model.card import ModelCard
from resnext.model.classifiers import refuse_detector
from resnext.model.config import ModelConfig, SegmenterConfig
from resnext.runtimes.spec import ExportSpec

_CHANNELS = (1, 3)


def takes_images(config: ModelConfig) -> bool:
    """Tell whether image files can be shown to a network: in 2 dimensions, grey or in colour."""
    return getattr(config, "ndim", 2) == 2 and config.in_channels in _CHANNELS


@dataclass(frozen=True)
class Preprocessor:
    """How one network takes its images.

    Attributes:
        in_channels: 3 for RGB, 1 for grey.
        preparation: The resize and the crop that the network sees.
        is_whole: The network resizes and crops inside, and takes images of any size, one by one.
        is_dense: The network gives every pixel a class: it takes images at their own size, one by
            one, and none of their pixels may be cut away.
    """

    in_channels: int
    preparation: Preparation
    is_whole: bool = False
    is_dense: bool = False
    _assumptions: AssumptionLog = field(default_factory=AssumptionLog, repr=False, compare=False)

    @classmethod
    def of(
        cls, config: ModelConfig, card: ModelCard, spec: ExportSpec | None = None
    ) -> Preprocessor:
        """Return how a network takes its images.

        Args:
            config: Its architecture.
            card: How it wants its images.
            spec: What its graph takes, of an exported file.

        Raises:
            ConfigError: It is not for images.
        """
        refuse_detector(config, "this feature")
        card.require_images("this")
        if not takes_images(config):
            raise ConfigError(
                "image files can be shown only to a network of 2 dimensions with 1 or 3 channels; "
                f"this one has {getattr(config, 'ndim', 2)} dimension(s) and "
                f"{config.in_channels} channel(s): name one that was trained on images"
            )
        preparation = Preparation.of_card(card, None if spec is None else spec.size_px)
        return cls(
            config.in_channels,
            preparation,
            is_whole=spec is not None and spec.input == "image",
            is_dense=isinstance(config, SegmenterConfig),
        )

    def read(self, path: Path) -> Image.Image:
        """Decode an image file, in the channels that the network takes.

        Raises:
            DataError: It cannot be read or is bad; the message is the reason only.
        """
        return self.decode(read_file(path), str(path))

    def decode(self, data: bytes, name: str, *, max_pixels: int = MAX_PIXELS) -> Image.Image:
        """Decode what an image file holds, in the channels that the network takes.

        Args:
            data: What the file holds.
            name: What a warning calls it: one, the first time that a range is assumed.
            max_pixels: Accepted.

        Raises:
            DataError: It is bad or too large; the message is the reason only.
        """
        photo = Photo(data, self.in_channels, max_pixels=max_pixels)
        image = photo.load()
        self._assumptions.report(name, photo.assumed)
        return image

    def take(self, value: object) -> Image.Image:
        """Return an image that a Python program holds, in the channels that the network takes.

        Args:
            value: One of `python_image.ACCEPTED`.

        Raises:
            ConfigError: It is no image.
            DataError: A file is bad; the message is the reason only.
        """
        photo = to_photo(value, self.in_channels)
        return photo.load() if isinstance(photo, Photo) else photo

    def crop(self, image: Image.Image) -> Pixels:
        """Return what the network sees of a decoded image: size_px x size_px x c."""
        return pixels_of(self.preparation.crop(image))

    def pixels(self, image: Image.Image) -> Pixels:
        """Return what the network takes of a decoded image: the crop, or h x w x c.

        A very long image is cut to its middle even where the network crops inside.
        """
        if self.is_dense:
            return pixels_of(image)
        return pixels_of(cut_long(image)) if self.is_whole else self.crop(image)
